"""What is unusual about a fleet at the beginning: it leads to calls that no usual fleet needs."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.schedule import Odd
from tests.stories.fleets import DOCUMENT, Fleet


def make(web: Fleet, odd: Odd) -> None:
    """Make the fleet so."""
    _ODD[odd](web)


def _classic_balancer(web: Fleet) -> None:
    """Beside its target group; both are asked for the health of its instances."""
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
    web.world.operator("elb", "CreateLoadBalancer", LoadBalancerName="old", Listeners=[listener])
    web.world.operator(
        "autoscaling",
        "AttachLoadBalancers",
        AutoScalingGroupName=web.name,
        LoadBalancerNames=["old"],
    )
    web.world.run_for(minutes=2)


def _free_addresses(web: Fleet) -> None:
    """No address is on an instance, which would say that there is a way to the internet."""
    for allocation in web.allocations:
        association = web.world.cloud.ec2.addresses.all[allocation].association_id
        web.world.operator("ec2", "DisassociateAddress", AssociationId=association)


def _addresses_of_elsewhere(web: Fleet) -> None:
    """They belong to a border group that its zones do not: every plan is refused."""
    for allocation in web.allocations:
        web.world.cloud.ec2.addresses.all[allocation].border_group = "us-east-1-atl-2"


def _arm_base(web: Fleet) -> None:
    """None of its types can boot what would be baked: every plan is refused."""
    base = web.world.cloud.ec2.images.seed("arm", architecture="arm64")
    web.document(bake={**DOCUMENT["bake"], "base": base}, addresses={"count": len(web.allocations)})


_ODD: dict[Odd, Callable[[Fleet], None]] = {
    "a classic balancer": _classic_balancer,
    "free addresses": _free_addresses,
    "addresses of elsewhere": _addresses_of_elsewhere,
    "an ARM base": _arm_base,
}
REFUSED: frozenset[Odd] = frozenset({"addresses of elsewhere", "an ARM base"})
