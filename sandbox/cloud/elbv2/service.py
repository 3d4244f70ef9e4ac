"""The calls of Elastic Load Balancing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.cloud.elbv2.balancer import Balancer, Listener
from sandbox.cloud.elbv2.target import Health, Target
from sandbox.cloud.elbv2.targetgroup import TargetGroup, with_defaults
from sandbox.cloud.elbv2.targeting import Targeting
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Operation, Parameters, Result


class Elbv2(Targeting):
    """The calls; what other services ask is in :class:`Targeting`."""

    def operations(self) -> dict[str, Operation]:
        """The operations by the names of the API."""
        return {
            "CreateTargetGroup": self.create_target_group,
            "DescribeTargetGroups": self.describe_target_groups,
            "DescribeTargetHealth": self.describe_target_health,
            "RegisterTargets": self.register_targets,
            "DeregisterTargets": self.deregister_targets,
            "ModifyTargetGroupAttributes": self.modify_target_group_attributes,
            "DescribeTargetGroupAttributes": self.describe_target_group_attributes,
            "CreateLoadBalancer": self.create_load_balancer,
            "DescribeLoadBalancers": self.describe_load_balancers,
            "CreateListener": self.create_listener,
            "DeleteListener": self.delete_listener,
            "DescribeListeners": self.describe_listeners,
            "SetSubnets": self.set_subnets,
            "DescribeTags": self.describe_tags,
        }

    def create_target_group(self, params: Parameters) -> Result:
        """Create a target group; the same again answers the one that is there."""
        put = with_defaults(params)
        for group in self.target_groups.values():
            if group.name == params["Name"]:
                if group.put == put:
                    return {"TargetGroups": [group.describe()]}
                raise AwsError(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{params['Name']}' exists, but with "
                    f"different settings",
                )
        name = f"targetgroup/{params['Name']}/{self._kernel.ids.hex(16)}"
        group = TargetGroup(self._kernel.arn("elasticloadbalancing", name), put, _tags(params))
        self.target_groups[group.arn] = group
        return {"TargetGroups": [group.describe()]}

    def describe_target_groups(self, params: Parameters) -> Result:
        """Target groups by ARN, name or balancer."""
        if arns := params.get("TargetGroupArns"):
            return {"TargetGroups": [self.target_group(arn).describe() for arn in arns]}
        names, balancer = params.get("Names"), params.get("LoadBalancerArn")
        found = [
            group.describe()
            for group in self.target_groups.values()
            if (not names or group.name in names)
            and (balancer is None or balancer in group.balancers)
        ]
        if names and len(found) < len(names):
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        return {"TargetGroups": found}

    def describe_target_health(self, params: Parameters) -> Result:
        """The health of all targets, or of the ones that are named."""
        group = self.target_group(params["TargetGroupArn"])
        wanted = params.get("Targets")
        keys: Iterable[tuple[str, int]] = list(group.targets)
        if wanted:
            keys = [(each["Id"], each.get("Port", group.port)) for each in wanted]
        return {"TargetHealthDescriptions": [_health(group, key) for key in keys]}

    def register_targets(self, params: Parameters) -> Result:
        """Register instances; they must be running.

        Source: Elastic Load Balancing API reference, RegisterTargets.
        """
        self.target_group(params["TargetGroupArn"])
        for each in params["Targets"]:
            if self._ec2.state(each["Id"]) != "running":
                raise AwsError(
                    "InvalidTarget",
                    f"The following targets are not in a running state and cannot be registered: "
                    f"'{each['Id']}'",
                )
        for each in params["Targets"]:
            self.register(params["TargetGroupArn"], each["Id"], each.get("Port"))
        return {}

    def deregister_targets(self, params: Parameters) -> Result:
        """Begin to drain targets."""
        for each in params["Targets"]:
            self.deregister(params["TargetGroupArn"], each["Id"], each.get("Port"))
        return {}

    def modify_target_group_attributes(self, params: Parameters) -> Result:
        """Set attributes; what is not known is refused."""
        group = self.target_group(params["TargetGroupArn"])
        for each in params["Attributes"]:
            if each["Key"] not in group.attributes:
                raise AwsError(
                    "InvalidConfigurationRequest",
                    f"Target group attribute key '{each['Key']}' is not recognized",
                )
        group.attributes |= {each["Key"]: each["Value"] for each in params["Attributes"]}
        return self.describe_target_group_attributes(params)

    def describe_target_group_attributes(self, params: Parameters) -> Result:
        """All attributes of a target group."""
        attributes = self.target_group(params["TargetGroupArn"]).attributes
        return {"Attributes": [{"Key": key, "Value": attributes[key]} for key in attributes]}

    def create_load_balancer(self, params: Parameters) -> Result:
        """Create a balancer, which is active at once."""
        name = params["Name"]
        if any(balancer.name == name for balancer in self.balancers.values()):
            raise AwsError(
                "DuplicateLoadBalancerName", f"A load balancer with the name '{name}' exists"
            )
        key = self._kernel.ids.hex(16)
        balancer = Balancer(
            self._kernel.arn("elasticloadbalancing", f"loadbalancer/app/{name}/{key}"),
            name,
            f"{name}-{int(key[:8], 16)}.{self._kernel.region}.elb.amazonaws.com",
            self._kernel.now(),
            params,
            _tags(params),
        )
        self.balancers[balancer.arn] = balancer
        return {"LoadBalancers": [balancer.describe()]}

    def describe_load_balancers(self, params: Parameters) -> Result:
        """Balancers by ARN or name."""
        arns, names = params.get("LoadBalancerArns"), params.get("Names")
        found = [
            balancer.describe()
            for balancer in self.balancers.values()
            if (not arns or balancer.arn in arns) and (not names or balancer.name in names)
        ]
        if len(found) < len(arns or names or ()):
            raise AwsError("LoadBalancerNotFound", "One or more load balancers not found")
        return {"LoadBalancers": found}

    def create_listener(self, params: Parameters) -> Result:
        """Create a listener; from now on its target groups are in use and are checked."""
        balancer = self._balancer(params["LoadBalancerArn"])
        if any(each.put.get("Port") == params.get("Port") for each in balancer.listeners):
            raise AwsError("DuplicateListener", "A listener already exists on this port")
        arn = balancer.arn.replace(":loadbalancer/", ":listener/", 1)
        listener = Listener(f"{arn}/{self._kernel.ids.hex(16)}", balancer.arn, params)
        groups = [self.target_group(arn) for arn in listener.target_groups]
        balancer.listeners.append(listener)
        for group in groups:
            if balancer.arn not in group.balancers:
                group.balancers.append(balancer.arn)
        return {"Listeners": [listener.describe()]}

    def describe_listeners(self, params: Parameters) -> Result:
        """The listeners of a balancer, or by ARN."""
        wanted = params.get("ListenerArns")
        if "LoadBalancerArn" in params:
            listeners = self._balancer(params["LoadBalancerArn"]).listeners
        else:
            listeners = [each for b in self.balancers.values() for each in b.listeners]
        found = [each.describe() for each in listeners if not wanted or each.arn in wanted]
        return {"Listeners": found}

    def delete_listener(self, params: Parameters) -> Result:
        """Delete a listener; target groups that no other one forwards to are not in use any more.

        Source: Elastic Load Balancing API reference, DeleteListener.
        """
        for balancer in self.balancers.values():
            for listener in balancer.listeners:
                if listener.arn == params["ListenerArn"]:
                    balancer.listeners.remove(listener)
                    self._forget(balancer, listener)
                    return {}
        raise AwsError("ListenerNotFound", "One or more listeners not found")

    def set_subnets(self, params: Parameters) -> Result:
        """Enable the zones of these subnets, and no others, for a balancer.

        Source: Elastic Load Balancing API reference, SetSubnets.
        """
        balancer = self._balancer(params["LoadBalancerArn"])
        balancer.put = {**balancer.put, "Subnets": params["Subnets"]}
        return {}

    def _forget(self, balancer: Balancer, listener: Listener) -> None:
        kept = {arn for each in balancer.listeners for arn in each.target_groups}
        for arn in set(listener.target_groups) - kept:
            self.target_group(arn).balancers.remove(balancer.arn)

    def describe_tags(self, params: Parameters) -> Result:
        """The tags of target groups and balancers."""
        shown = []
        for arn in params["ResourceArns"]:
            holder = self.balancers.get(arn) or self.target_group(arn)
            tags = [{"Key": key, "Value": value} for key, value in holder.tags.items()]
            shown.append({"ResourceArn": arn, "Tags": tags})
        return {"TagDescriptions": shown}

    def _balancer(self, arn: str) -> Balancer:
        if arn not in self.balancers:
            raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
        return self.balancers[arn]


def _health(group: TargetGroup, key: tuple[str, int]) -> dict[str, Any]:
    target = group.targets.get(key)
    health = target.health if target else Health("unused", "Target.NotRegistered")
    return {
        "Target": {"Id": key[0], "Port": key[1]},
        "HealthCheckPort": str(group.check_port(target or Target(*key))),
        "TargetHealth": health.describe(),
    }


def _tags(params: Parameters) -> dict[str, str]:
    return {each["Key"]: each.get("Value", "") for each in params.get("Tags", [])}
