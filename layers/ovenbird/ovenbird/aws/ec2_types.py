"""Instance types: what they run."""

from __future__ import annotations

from collections.abc import Sequence

from ovenbird.aws import clients
from ovenbird.aws.faults import translated


def architectures(types: Sequence[str]) -> dict[str, frozenset[str]]:
    """The architectures (``x86_64``, ``arm64``) of each type, at most 100 of them.

    IAM: ec2:DescribeInstanceTypes
    Source: EC2 API reference, DescribeInstanceTypes.
    """
    with translated(f"look at the instance types {', '.join(types)}"):
        found = clients.get("ec2").describe_instance_types(InstanceTypes=list(types)[:100])
    return {
        each["InstanceType"]: frozenset(
            each.get("ProcessorInfo", {}).get("SupportedArchitectures", ())
        )
        for each in found["InstanceTypes"]
    }
