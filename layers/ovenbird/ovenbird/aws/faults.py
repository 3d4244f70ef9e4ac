"""What AWS's error codes mean to us: the one table, and the one place where it is applied.

Only codes are matched, never texts. Every answer of AWS gets a name: a code that is not here, and
that the adapter which made the call does not expect, is ``Declined``, in AWS's own words. What to
do about each stands in :mod:`ovenbird.core.codes`.

Source: EC2 API reference, "Error codes for the Amazon EC2 API"; "Common errors" of the API
references of Auto Scaling, Systems Manager, Step Functions, DynamoDB and SNS.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions
from botocore.exceptions import ClientError

from ovenbird.core import codes
from ovenbird.errors import Declined, Denied, NotFound, OvenbirdError, Throttled, Unavailable

_LONGEST = 1500  # characters of what AWS says

_THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "TooManyRequestsException",
    "TooManyUpdates",
}
_UNAVAILABLE = {
    "ConcurrentCreateImageNoRebootLimitExceeded",
    "ConcurrentSnapshotLimitExceeded",
    "ConcurrentTagAccess",
    "CreditSpecificationUpdateInProgress",
    "ExpiredToken",  # Lambda gives new credentials
    "ExpiredTokenException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InvalidNextToken",  # a page's token has expired: begin again with the first page
    "InvalidPaginationToken",
    "RequestExpired",
    "RequestTimeout",
    "RequestTimeoutException",
    "ResourceContention",
    "ScalingActivityInProgress",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SnapshotCreationPerVolumeRateExceeded",
    "TransactionConflictException",
    "Unavailable",
}
_NOT_FOUND = {
    "ExecutionDoesNotExist",
    "InvalidAMIID.Unavailable",
    "InvocationDoesNotExist",
    "LoadBalancerNotFound",
    "NotFound",
    "NotFoundException",
    "ParameterNotFound",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "TargetGroupNotFound",
}
_NOT_FOUND_ENDINGS = (".NotFound", ".NotFoundException", ".VersionNotFound")
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "AuthorizationError",
    "UnauthorizedAccess",
    "UnauthorizedOperation",
}


def code(error: ClientError) -> str:
    """AWS's code for the error, as on the wire (``InstanceRefreshInProgress``, no ``Fault``)."""
    return str(error.response.get("Error", {}).get("Code", ""))


def text(error: ClientError) -> str:
    """What AWS says about it, for a person: without what is encoded, and not without end."""
    return codes.plain(str(error.response.get("Error", {}).get("Message", "")))[:_LONGEST]


def status(error: ClientError) -> int:
    """The HTTP status of the answer, 0 where there was none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def meaning(error: ClientError) -> type[OvenbirdError] | None:
    """Which of our failures the error is; ``None`` where only the caller can know."""
    name = code(error)
    if name in _THROTTLED or name.startswith("Throttl"):
        return Throttled
    if name in _NOT_FOUND or name.endswith(_NOT_FOUND_ENDINGS):
        return NotFound
    if name in _DENIED:
        return Denied
    if name in _UNAVAILABLE or status(error) >= 500:
        return Unavailable
    return None


@contextmanager
def translated(action: str, *, missing: str = "") -> Iterator[None]:
    """Turn what AWS raises inside the block into our errors.

    Args:
        action: What was tried, after "could not": ``describe the group web``.
        missing: The whole sentence for NotFound, where more can be said than that it is gone.

    Raises:
        Throttled, Unavailable, NotFound, Denied: As the table says.
        Declined: Every other code.
    """
    try:
        yield
    except ClientError as error:
        known = meaning(error) or Declined
        if known is NotFound and missing:
            raise NotFound(missing) from error
        raise known(f"Could not {action}: {text(error)} ({code(error)})") from error
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise Unavailable(
            f"Could not {action}: no answer from AWS ({type(error).__name__})."
        ) from error
