"""Whatever AWS answers a bake with: it ends under a name of ours, in AWS's words, with an advice.

The texts are AWS's own, out of public reports: hashicorp/terraform-provider-aws#6712, #29866 and
#4769, hashicorp/packer#12624, zalando-incubator/kubernetes-on-aws PR#3817.
"""

from __future__ import annotations

from typing import Any

import pytest

from ovenbird.core.codes import Kind
from sandbox.cloud.errors import AwsError
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet

DENY = (
    "You are not authorized to perform this operation. User: arn:aws:sts::1:assumed-role/bake is"
    " not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:::volume/* with an"
    " explicit deny in a service control policy. Encoded authorization failure message: "
)


def refuse(web: Fleet, operation: str, code: str, words: str, status: int = 400) -> list[Any]:
    asked: list[Any] = []

    def refuses(call: HandlerCall, go: Go) -> Any:
        if call.operation != operation:
            return go()
        asked.append(call.params)
        raise AwsError(code, words, status)

    web.world.interference = refuses
    return asked


@pytest.mark.parametrize(
    ("code", "words", "error", "kind"),
    [
        pytest.param(
            "InvalidBlockDeviceMapping",
            "Volume of size 8GB is smaller than snapshot 'snap-0a', expect size>= 30GB",
            "BakeFailed",
            Kind.TEMPLATE,
            id="disk",
        ),
        pytest.param(
            "InvalidParameterValue",
            "The architecture 'x86_64' of the specified instance type does not match 'arm64'",
            "BakeFailed",
            Kind.TEMPLATE,
            id="architecture",
        ),
        pytest.param(
            "InvalidParameterValue",
            "Value (web) for parameter iamInstanceProfile.name is invalid.",
            "BakeFailed",
            Kind.TEMPLATE,
            id="profile",
        ),
        pytest.param(
            "InvalidKeyPair.NotFound",
            "The key pair 'ops' does not exist",
            "NotFound",
            Kind.TEMPLATE,
            id="key pair",
        ),
        pytest.param(
            "InvalidAMIID.NotFound", "The image id '[ami-1]' does not exist", "NotFound", Kind.IMAGE
        ),
        pytest.param(
            "OptInRequired",
            "In order to use this AWS Marketplace product you need to accept terms and subscribe.",
            "BakeFailed",
            Kind.ACCOUNT,
            id="terms",
        ),
        pytest.param(
            "PendingVerification", "Your account is pending.", "BakeFailed", Kind.ACCOUNT, id="new"
        ),
        pytest.param(
            "CustomerKeyHasBeenRevoked", "The key is gone.", "BakeFailed", Kind.KEY, id="key"
        ),
        pytest.param(
            "UnauthorizedOperation", DENY + "Qx9" * 400, "Denied", Kind.ORGANISATION, id="policy"
        ),
        pytest.param(
            "NeverHeardOf", "It is Tuesday.", "BakeFailed", Kind.REASON_OF_ITS_OWN, id="unknown"
        ),
    ],
)
def test_a_launch_that_is_refused(code: str, words: str, error: str, kind: Kind) -> None:
    with a_fleet() as web:
        refuse(web, "RunInstances", code, words)
        web.world.upload("two")
        assert web.world.finish().error == error
        told = web.world.notices[-1]
        assert f"What to do: {kind.value}" in told
        assert "no name of ours" not in told
        assert f"({code})" in told
        assert "Qx9" not in told
        assert web.is_as_before()


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("DescribeAutoScalingGroups", "Refused"),
        ("DescribeImages", "Refused"),
        ("SendCommand", "BakeFailed"),
        ("StopInstances", "BakeFailed"),
        ("CreateImage", "BakeFailed"),
        ("CreateLaunchTemplateVersion", "Refused"),
        ("StartInstanceRefresh", "RollFailed"),
        ("ModifyLaunchTemplate", "RollFailed"),
    ],
)
def test_an_answer_that_nobody_has_heard_of_is_the_steps_own_failure(
    operation: str, error: str
) -> None:
    with a_fleet() as web:
        refuse(web, operation, "NeverHeardOf", "It is Tuesday.")
        web.world.upload("two")
        rollout = web.world.finish(hours=6)
        web.world.interference = lambda call, go: go()
        assert rollout.error in (error, "UndoFailed")
        assert "It is Tuesday. (NeverHeardOf)" in rollout.cause
        assert "no name of ours" not in web.world.notices[-1]


@pytest.mark.parametrize("code", ["InvalidSubnetID.NotFound", "Unsupported", "ZonesMismatched"])
def test_a_zone_that_will_not_do_is_not_the_last_one(code: str) -> None:
    with a_fleet() as web:
        first, *_ = web.world.cloud.ec2.networks.subnets

        def refuses(call: HandlerCall, go: Go) -> Any:
            if call.operation == "RunInstances" and call.params["SubnetId"] == first.subnet_id:
                raise AwsError(code, "not there")
            return go()

        web.world.interference = refuses
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}


@pytest.mark.parametrize("code", ["VcpuLimitExceeded", "InvalidParameterCombination"])
def test_a_type_that_will_not_do_is_asked_for_once(code: str) -> None:
    with a_fleet(mixed=True) as web:
        asked: list[str] = []

        def refuses(call: HandlerCall, go: Go) -> Any:
            if call.operation == "RunInstances":
                asked.append(call.params["InstanceType"])
                if call.params["InstanceType"] == "t3.small":
                    raise AwsError(code, "not that one")
            return go()

        web.world.interference = refuses
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert asked == ["t3.small", "t3a.small"]
        assert web.revisions == {new: 4}
