"""Quotas of the account: which one an error of AWS speaks of, by its name in Service Quotas.

AWS's own text says only that there is a limit. Sources: EC2 API reference, "Error codes for the
Amazon EC2 API"; EC2 user guide, "Amazon EC2 service quotas" and "On-Demand Instance quotas".
"""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from ovenbird.aws.faults import code, meaning, text
from ovenbird.core import codes
from ovenbird.core.codes import Kind

_NAMES = {
    "AddressLimitExceeded": "EC2-VPC Elastic IPs",
    "InstanceLimitExceeded": "Running On-Demand instances",
    "MaxIOPSLimitExceeded": "IOPS of EBS volumes",
    "NetworkInterfaceLimitExceeded": "Network interfaces per Region",
    "PendingSnapshotLimitExceeded": "Concurrent snapshots per volume",
    "SnapshotLimitExceeded": "Snapshots per Region",
    "VolumeLimitExceeded": "Storage of EBS volumes",
}
_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
_VCPUS = {  # by the letters that a type's name begins with; the rest is Standard
    "dl": "DL",
    "f": "F",
    "g": "G and VT",
    "gr": "G and VT",
    "hpc": "HPC",
    "inf": "Inf",
    "p": "P",
    "trn": "Trn",
    "u": "High Memory",
    "vt": "G and VT",
    "x": "X",
}


def is_used_up(error: ClientError) -> bool:
    """Whether a quota is used up: nothing but a higher one, or fewer things, will help."""
    return meaning(error) is None and codes.kind(code(error)) is Kind.QUOTA


def sentence(error: ClientError, instance_type: str = "") -> str:
    """Which quota it is, and what AWS says.

    Args:
        instance_type: What was to be launched; each kind of instance has a quota of its own.
    """
    name = _NAMES.get(code(error), "")
    if code(error) == "VcpuLimitExceeded":
        family = re.match("[a-z]*", instance_type)
        kind = _VCPUS.get(family[0] if family else "", _STANDARD)
        name = f"Running On-Demand {kind} instances"
    quota = f'The quota "{name}"' if name else "A quota"
    return f"{quota} of this account is used up: {text(error)} ({code(error)})"
