"""Two fleets in the stories whose calls are written down: no function touches another's thing."""

from __future__ import annotations

from tests.stories.intrinsics import arn
from tests.template.permissions import matrix
from tests.template.permissions.asks import Ask
from tests.template.permissions.recording import OTHER, Recorded, recorded
from tests.template.permissions.roles import grains, roles
from tests.template.test_least_privilege import CANNOT_BE_FENCED


def test_no_function_asks_for_a_thing_of_another_fleet() -> None:
    wrong = [one for one in recorded() if matrix.is_another_fleets(one)]
    assert wrong == []
    assert {row.others for row in matrix.rows()} == {0}


def test_every_action_of_every_role_is_in_the_matrix() -> None:
    granted = {(grain.owner, grain.action) for role in roles().values() for grain in grains(role)}
    assert granted <= {(row.owner, row.action) for row in matrix.rows()}


def test_nothing_of_a_stranger_is_allowed() -> None:
    """A thing without a fleet's tag, or with one in another account: if the code were led."""
    assert [row for row in matrix.rows() if row.strangers] == []


def test_the_stories_are_of_several_fleets() -> None:
    """Else the matrix would say nothing."""
    acting = {one.fleet for one in recorded()} - {""}
    assert {"web", "shop"} <= acting
    touched = {matrix.whose(one.ask) for one in recorded()} - {""}
    assert touched == set(matrix.FLEETS)
    changing = {row.action for row in matrix.rows() if row.own and matrix.changes(row.action)}
    assert {
        "autoscaling:StartInstanceRefresh",
        "ec2:AssociateAddress",
        "ec2:CreateImage",
        "ec2:CreateLaunchTemplateVersion",
        "ec2:TerminateInstances",
        "ssm:PutParameter",
        "ssm:SendCommand",
    } <= changing
    assert not changing & CANNOT_BE_FENCED


def test_the_matrix_would_find_one() -> None:
    tag = (("aws:ResourceTag/ovenbird:fleet", ("shop",)),)
    for ask in (
        Ask("ec2:TerminateInstances", arn("ec2", "instance/i-1"), tag),
        Ask("dynamodb:UpdateItem", arn("dynamodb", "table/Ledger"), _key("lane#shop")),
        Ask("dynamodb:UpdateItem", arn("dynamodb", "table/Ledger"), _key("rollout#shop-0123")),
        Ask("dynamodb:UpdateItem", arn("dynamodb", "table/Ledger"), _key("doorbell#queue-shop-1")),
        Ask("ssm:PutParameter", arn("ssm", "parameter/ovenbird/fleets/shop/image")),
        Ask("states:DescribeExecution", arn("states", "execution:ovenbird-rollout:shop-0123")),
    ):
        assert matrix.is_another_fleets(Recorded("RollGroupFunction", ask, "web"))
        assert not matrix.is_another_fleets(Recorded("RollGroupFunction", ask, "shop"))
        assert not matrix.is_another_fleets(Recorded("AcceptReleaseFunction", ask))
    assert OTHER not in ("web", "shop")


def _key(pk: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("dynamodb:LeadingKeys", (pk,)),)
