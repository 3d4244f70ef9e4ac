"""AWS's error codes become our failures, by one table."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)

from ovenbird.aws import faults
from ovenbird.errors import Declined, Denied, NotFound, OvenbirdError, Throttled, Unavailable


def fault(code: str, status: int = 400) -> ClientError:
    response = {
        "Error": {"Code": code, "Message": "AWS says so"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "DescribeThing")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Throttling", 400, Throttled),
        ("ThrottlingException", 400, Throttled),
        ("RequestLimitExceeded", 503, Throttled),
        ("TooManyRequestsException", 429, Throttled),
        ("ProvisionedThroughputExceededException", 400, Throttled),
        ("ResourceContention", 500, Unavailable),
        ("InternalError", 500, Unavailable),
        ("NeverHeardOf", 503, Unavailable),
        ("ConcurrentTagAccess", 400, Unavailable),
        ("InvalidInstanceID.NotFound", 400, NotFound),
        ("InvalidLaunchTemplateId.VersionNotFound", 400, NotFound),
        ("InvalidLaunchTemplateName.NotFoundException", 400, NotFound),
        ("InvalidAMIID.Unavailable", 400, NotFound),
        ("ParameterNotFound", 400, NotFound),
        ("ResourceNotFoundException", 400, NotFound),
        ("ExecutionDoesNotExist", 400, NotFound),
        ("UnauthorizedOperation", 403, Denied),
        ("AccessDenied", 403, Denied),
        ("AccessDeniedException", 400, Denied),
    ],
)
def test_known_codes(code: str, status: int, kind: type[OvenbirdError]) -> None:
    with (
        pytest.raises(kind, match=rf"^Could not look at it: AWS says so \({code}\)$"),
        faults.translated("look at it"),
    ):
        raise fault(code, status)


# Each code that we know, once; a code that is lost would be a failure without a name.
CODES: dict[type[OvenbirdError], str] = {
    Throttled: """
        BandwidthLimitExceeded EC2ThrottledException PriorRequestNotComplete
        ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled
        RequestThrottledException SlowDown Throttling ThrottlingException ThrottledException
        TooManyRequestsException TooManyUpdates
    """,
    Unavailable: """
        ConcurrentCreateImageNoRebootLimitExceeded ConcurrentSnapshotLimitExceeded
        CreditSpecificationUpdateInProgress ScalingActivityInProgress
        SnapshotCreationPerVolumeRateExceeded
        ConcurrentTagAccess ExpiredToken ExpiredTokenException InternalError InternalFailure
        InternalServerError InvalidNextToken InvalidPaginationToken RequestExpired RequestTimeout
        RequestTimeoutException ResourceContention ServiceUnavailable ServiceUnavailableException
        TransactionConflictException Unavailable
    """,
    NotFound: """
        ExecutionDoesNotExist InvalidAMIID.Unavailable InvocationDoesNotExist LoadBalancerNotFound
        NotFound NotFoundException ParameterNotFound ResourceNotFound ResourceNotFoundException
        StateMachineDoesNotExist TargetGroupNotFound
        InvalidGroup.NotFound InvalidLaunchTemplateName.NotFoundException
        InvalidLaunchTemplateId.VersionNotFound
    """,
    Denied: """
        AccessDenied AccessDeniedException AuthFailure AuthorizationError UnauthorizedAccess
        UnauthorizedOperation
    """,
}


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind, codes in CODES.items() for code in codes.split()]
)
def test_every_code_that_is_known_by_its_name_alone(code: str, kind: type[OvenbirdError]) -> None:
    with pytest.raises(kind), faults.translated("look at it"):
        raise fault(code)


def test_what_aws_says_is_not_told_for_ever() -> None:
    response = {"Error": {"Code": "AccessDenied", "Message": "m" * 1600}}
    error = ClientError(response, "DescribeThing")  # type: ignore[arg-type]
    assert faults.text(error) == "m" * 1500
    assert faults.status(error) == 0


def test_an_answer_without_anything_has_no_meaning() -> None:
    error = ClientError({}, "DescribeThing")
    assert (faults.code(error), faults.text(error), faults.meaning(error)) == ("", "", None)


@pytest.mark.parametrize("code", ["ValidationError", "InstanceRefreshInProgress", "Unheard"])
def test_every_other_code_is_declined_in_the_words_of_aws(code: str) -> None:
    said = rf"^Could not look at it: AWS says so \({code}\)$"
    with pytest.raises(Declined, match=said), faults.translated("look at it"):
        raise fault(code)


def test_what_nobody_can_read_is_left_out_of_a_denial() -> None:
    message = "You are not authorized. Encoded authorization failure message: " + "aB3_-" * 300
    response = {"Error": {"Code": "UnauthorizedOperation", "Message": message}}
    error = ClientError(response, "RunInstances")  # type: ignore[arg-type]
    assert faults.text(error) == "You are not authorized"


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://example.com"),
        ConnectTimeoutError(endpoint_url="https://example.com"),
        EndpointConnectionError(endpoint_url="https://example.com"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lost_answer_may_have_had_its_effect(error: Exception) -> None:
    with (
        pytest.raises(Unavailable, match=rf"no answer from AWS \({type(error).__name__}\)"),
        faults.translated("look at it"),
    ):
        raise error


def test_a_mistake_of_ours_stays_loud() -> None:
    with pytest.raises(ParamValidationError), faults.translated("look at it"):
        raise ParamValidationError(report="no such parameter")


def test_more_can_be_said_of_what_is_missing() -> None:
    with (
        pytest.raises(NotFound, match=r"^Make it first\.$"),
        faults.translated("look at it", missing="Make it first."),
    ):
        raise fault("ParameterNotFound")
