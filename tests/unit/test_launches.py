"""Whether an image had its chance: an instance of it was launched, whatever became of that."""

from __future__ import annotations

import pytest

from ovenbird.core.launches import Launch, excuse

DIED = (
    "Instance became unhealthy while waiting for instance to be in InService state. Termination "
    "Reason:"
)
REFUSED = Launch(said="We currently do not have sufficient capacity.")


@pytest.mark.parametrize(
    "launches",
    [
        [Launch("i-1")],
        [Launch("i-1", "Instance became unhealthy.")],
        [Launch("i-1", f"{DIED} Client.InstanceInitiatedShutdown: Instance initiated shutdown")],
        [Launch("i-1", f"{DIED} Client.UserInitiatedShutdown: User initiated shutdown")],
        [Launch("i-1", "Lifecycle Action Completed with ABANDON Result")],
        [REFUSED, Launch("i-1"), REFUSED],
    ],
)
def test_what_was_launched_had_its_chance(launches: list[Launch]) -> None:
    assert excuse(launches) == ""


def test_what_was_refused_had_none_and_the_newest_reason_says_why() -> None:
    said = excuse([Launch(), REFUSED, Launch(said="an older reason")])
    assert "(AWS: We currently do not have sufficient capacity)" in said
    assert "not marked bad" in said


def test_what_was_never_tried_had_none() -> None:
    assert excuse([]).startswith("No instance was launched from the new image, so it is not")


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state", "KMS"),
        ("Client.InternalError: Client error on launch", "room"),
        ("Client.VolumeLimitExceeded: Volume limit exceeded", "Service Quotas"),
        ("Server.InternalError: Internal error on launch", "room"),
        ("Server.SpotInstanceTermination: Spot Instance termination", "room"),
    ],
)
def test_what_the_account_or_aws_ended_before_it_ran_had_none(reason: str, advice: str) -> None:
    said = excuse([Launch("i-1", f"{DIED} {reason}"), REFUSED])
    assert said.startswith("No instance ran from the new image (AWS: Instance became unhealthy")
    assert reason in said and "not marked bad" in said
    assert advice in said
    assert excuse([Launch("i-1", f"{DIED} {reason}"), Launch("i-2")]) == ""


def test_what_was_refused_for_the_templates_sake_says_where_it_stands() -> None:
    said = excuse([Launch(said="The security group 'sg-1' does not exist in VPC 'vpc-1'.")])
    assert "it stands in the launch template or in the group" in said
    assert "when there is room" not in said
