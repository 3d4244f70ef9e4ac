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
from ovenbird.errors import Denied, NotFound, OvenbirdError, Throttled, Unavailable


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


@pytest.mark.parametrize("code", ["ValidationError", "InstanceRefreshInProgress", "Unheard"])
def test_other_codes_stay_loud(code: str) -> None:
    with pytest.raises(ClientError), faults.translated("look at it"):
        raise fault(code)


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
