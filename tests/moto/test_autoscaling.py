"""Groups, target health, alarms and addresses against moto: a second opinion on the shapes.

moto knows no instance refresh, frees no address on termination and resolves no ``$Latest``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from ovenbird.aws import alarms, autoscaling_groups, clients, ec2_addresses, loadbalancing
from ovenbird.core import traffic
from ovenbird.core.groups import TemplateVersion
from ovenbird.errors import NotFound, Refused

TAG = {"Key": "ovenbird:fleet", "Value": "web"}


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty account of moto's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # they take seconds
    with mock_aws():
        clients.reset()
        yield clients.get("ec2")
    clients.reset()


@pytest.fixture
def image(ec2: Any) -> str:
    return str(ec2.register_image(Name="web")["ImageId"])


@pytest.fixture
def template(ec2: Any, image: str) -> str:
    made = ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.small"},
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


@pytest.fixture
def target_group(ec2: Any) -> str:
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = clients.get("elbv2").create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def create(ec2: Any, template: str, *, version: str = "$Latest", **more: Any) -> None:
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    clients.get("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=2,
        VPCZoneIdentifier=subnet,
        Tags=[TAG | {"PropagateAtLaunch": True}],
        **({"LaunchTemplate": {"LaunchTemplateId": template, "Version": version}} | more),
    )


def launched(ec2: Any, image: str) -> str:
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    return str(made["Instances"][0]["InstanceId"])


def test_a_group_is_read_with_its_instances(ec2: Any, template: str, target_group: str) -> None:
    create(ec2, template, version="1", TargetGroupARNs=[target_group])
    group = autoscaling_groups.describe("web")
    assert (group.min_size, group.desired, group.max_size) == (0, 2, 4)
    assert group.template == TemplateVersion(template, "1")
    assert group.tags == {"ovenbird:fleet": "web"}
    assert group.target_groups == (target_group,)
    assert len(group.subnets) == 1
    assert len(group.members) == 2
    assert all(member.in_service for member in group.members)


def test_a_group_that_is_not_there_is_named(ec2: Any) -> None:
    with pytest.raises(NotFound, match="'web'"):
        autoscaling_groups.describe("web")


def test_pinning_writes_the_number_and_nothing_else(ec2: Any, template: str) -> None:
    create(ec2, template)
    before = autoscaling_groups.describe("web")
    for _ in range(2):  # the second time there is nothing to do
        autoscaling_groups.pin("web", TemplateVersion(template, "1"))
    after = autoscaling_groups.describe("web")
    assert (before.versions, after.versions) == ({template: "$Latest"}, {template: "1"})
    assert (after.min_size, after.desired, after.max_size) == (0, 2, 4)
    assert after.members == before.members


@pytest.mark.parametrize(
    "wrong", [TemplateVersion("lt-0aaaaaaaaaaaaaaaa", "1"), TemplateVersion("", "$Latest")]
)
def test_only_the_groups_own_template_can_be_pinned_to_a_number(
    ec2: Any, template: str, wrong: TemplateVersion
) -> None:
    create(ec2, template)
    with pytest.raises(Refused, match="cannot be pinned"):
        autoscaling_groups.pin("web", wrong)


def test_pinning_a_mixed_group_keeps_its_policy(ec2: Any, template: str) -> None:
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": template, "Version": "$Latest"},
            "Overrides": [{"InstanceType": "t3.small"}, {"InstanceType": "t3a.small"}],
        },
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 100},
    }
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    clients.get("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=4,
        VPCZoneIdentifier=subnet,
        MixedInstancesPolicy=policy,
    )
    autoscaling_groups.pin("web", TemplateVersion(template, "1"))
    group = autoscaling_groups.describe("web")
    assert group.versions == {template: "1"}
    assert group.overrides == (None, None)


def healthy_instances(sources: list[str]) -> frozenset[str] | None:
    return traffic.healthy(loadbalancing.opinions(sources))


def test_target_health(ec2: Any, image: str, target_group: str) -> None:
    one, other = launched(ec2, image), launched(ec2, image)
    targets = clients.get("elbv2")
    assert healthy_instances([]) is None
    assert healthy_instances([target_group]) == frozenset()
    targets.register_targets(TargetGroupArn=target_group, Targets=[{"Id": one}, {"Id": other}])
    assert healthy_instances([target_group]) == frozenset({one, other})
    targets.deregister_targets(TargetGroupArn=target_group, Targets=[{"Id": other}])
    assert healthy_instances([target_group]) == frozenset({one})


def test_alarm_states_by_the_hundred(ec2: Any) -> None:
    cloudwatch = clients.get("cloudwatch")
    names = [f"alarm-{number:03}" for number in range(120)]
    for name in names:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="web",
            MetricName="errors",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Threshold=1,
            Statistic="Sum",
        )
    cloudwatch.set_alarm_state(AlarmName=names[-1], StateValue="ALARM", StateReason="test")
    seen = alarms.states([*names, "not-there"])
    assert sorted(seen) == names
    assert seen[names[-1]] == "ALARM"


def test_an_address_moves_only_when_it_may(ec2: Any, image: str) -> None:
    one, other = launched(ec2, image), launched(ec2, image)
    address = ec2.allocate_address(
        Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": [TAG]}]
    )["AllocationId"]
    ec2.allocate_address(Domain="vpc")  # somebody else's
    at = ec2_addresses.target
    (free,) = ec2_addresses.pool("web")
    assert (free.allocation_id, free.free) == (address, True)
    assert ec2_addresses.associate(address, at(one), take=False).instance_id == one
    assert ec2_addresses.associate(address, at(other), take=False).instance_id == one
    assert ec2_addresses.associate(address, at(other), take=True).instance_id == other
    assert ec2_addresses.describe(address).holder == other


def test_an_address_that_is_gone_is_named(ec2: Any) -> None:
    with pytest.raises(NotFound):
        ec2_addresses.describe("eipalloc-0aaaaaaaaaaaaaaaa")


def test_an_instance_with_two_interfaces_gets_it_on_the_first(ec2: Any, image: str) -> None:
    instance = launched(ec2, image)
    first = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    subnet = first["SubnetId"]
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    ec2.attach_network_interface(
        NetworkInterfaceId=second["NetworkInterfaceId"], InstanceId=instance, DeviceIndex=1
    )
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    held = ec2_addresses.associate(address, ec2_addresses.target(instance), take=False)
    assert held.interface_id == first["NetworkInterfaces"][0]["NetworkInterfaceId"]


def test_who_has_ended(ec2: Any, image: str) -> None:
    alive, dead = launched(ec2, image), launched(ec2, image)
    ec2.terminate_instances(InstanceIds=[dead])
    assert ec2_addresses.ended([alive, dead, "i-0aaaaaaaaaaaaaaaa"]) == {dead}
    assert ec2_addresses.ended([]) == frozenset()
