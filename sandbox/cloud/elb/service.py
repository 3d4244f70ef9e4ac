"""Classic Load Balancers: instances are registered with the balancer itself.

Behind each stands a target group of the newer kind that nobody else sees: the health checks are of
the same make.
"""

from __future__ import annotations

from typing import Any

from sandbox.cloud.elbv2.balancer import Balancer
from sandbox.cloud.elbv2.checks import Instances
from sandbox.cloud.elbv2.targetgroup import TargetGroup, with_defaults
from sandbox.cloud.elbv2.targeting import Targeting
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.machines import Machines


class Elb(Targeting):
    """The calls of the API version 2012-06-01; a balancer's name stands where an ARN would."""

    def __init__(self, kernel: Kernel, ec2: Instances, machines: Machines) -> None:
        super().__init__(kernel, ec2, machines)

    def operations(self) -> dict[str, Operation]:
        """The operations by the names of the API."""
        return {
            "CreateLoadBalancer": self.create,
            "DescribeLoadBalancers": self.describe,
            "DescribeInstanceHealth": self.describe_health,
            "DeregisterInstancesFromLoadBalancer": self.deregister_instances,
        }

    def target_group(self, arn: str) -> TargetGroup:
        if arn not in self.target_groups:
            raise AwsError(
                "LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{arn}'"
            )
        return self.target_groups[arn]

    def create(self, params: Parameters) -> Result:
        """Create a balancer; it checks its instances as the defaults say.

        Source: Elastic Load Balancing API reference 2012-06-01, CreateLoadBalancer.
        """
        name, port = params["LoadBalancerName"], params["Listeners"][0]["InstancePort"]
        if name in self.target_groups:
            raise AwsError(
                "DuplicateLoadBalancerName", f"Load Balancer named {name} already exists"
            )
        checks = {"HealthCheckIntervalSeconds": 30, "HealthyThresholdCount": 10}
        group = TargetGroup(name, with_defaults({"Name": name, "Port": port, **checks}), {})
        group.balancers.append(name)
        self.target_groups[name] = group
        self.balancers[name] = Balancer(
            name, name, f"{name}.elb.amazonaws.com", self._kernel.now(), params, {}
        )
        return {"DNSName": f"{name}.elb.amazonaws.com"}

    def describe(self, params: Parameters) -> Result:
        names = params.get("LoadBalancerNames") or list(self.balancers)
        return {
            "LoadBalancerDescriptions": [
                {
                    "LoadBalancerName": self.target_group(name).name,
                    "Instances": [
                        {"InstanceId": instance} for instance, _ in self.target_group(name).targets
                    ],
                }
                for name in names
            ]
        }

    def describe_health(self, params: Parameters) -> Result:
        """The states of the instances that are registered.

        Source: Elastic Load Balancing API reference 2012-06-01, InstanceState.
        """
        group = self.target_group(params["LoadBalancerName"])
        return {
            "InstanceStates": [
                {"InstanceId": instance, **_state(target.health.state)}
                for (instance, _), target in group.targets.items()
            ]
        }

    def deregister_instances(self, params: Parameters) -> Result:
        for each in params["Instances"]:
            self.deregister(params["LoadBalancerName"], each["InstanceId"])
        return {"Instances": []}


def _state(state: str) -> dict[str, Any]:
    if state == "healthy":
        return {"State": "InService", "ReasonCode": "N/A", "Description": "N/A"}
    if state == "initial":
        said = "Instance registration is still in progress."
        return {"State": "OutOfService", "ReasonCode": "ELB", "Description": said}
    said = (
        "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
    )
    return {"State": "OutOfService", "ReasonCode": "Instance", "Description": said}
