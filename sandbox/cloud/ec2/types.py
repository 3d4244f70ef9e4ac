"""Instance types: what their names say of their processors."""

from __future__ import annotations

import re

from sandbox.cloud.kernel import Operation, Parameters, Result
from sandbox.cloud.pages import page

# AWS's own processors have a "g" after the generation: t4g, m7gd, x2gd; the first were the a1.
# Source: Amazon EC2 instance types guide, "Instance type naming conventions".
_GRAVITON = re.compile(r"(a1|[a-z]+[0-9]+[a-z]*g[a-z]*)\.")
ANY = "m5.large"  # what a launch by attributes gets


def architecture(instance_type: str) -> str:
    """``arm64`` or ``x86_64``."""
    return "arm64" if _GRAVITON.match(instance_type) else "x86_64"


def operations() -> dict[str, Operation]:
    return {"DescribeInstanceTypes": _describe}


def _describe(params: Parameters) -> Result:
    """Only of types that are named: the model keeps no list of all that there are."""
    found, more = page(params.get("InstanceTypes") or [], params, ids="InstanceTypes")
    shown = [
        {
            "InstanceType": each,
            "ProcessorInfo": {"SupportedArchitectures": [architecture(each)]},
        }
        for each in found
    ]
    return {"InstanceTypes": shown, **more}
