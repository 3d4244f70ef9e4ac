"""Quotas: which one is used up, in the name that Service Quotas has for it."""

from __future__ import annotations

import pytest

from ovenbird.aws import quotas
from tests.unit.test_faults import fault

STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        *(
            (kind, STANDARD)
            for kind in (
                *("a1.large", "c7g.large", "d3.xlarge", "h1.2xlarge", "i4i.large", "im4gn.large"),
                *("is4gen.large", "m7g.large", "r7g.large", "t4g.small", "z1d.large"),
            )
        ),
        ("dl1.24xlarge", "DL"),
        ("dl2q.24xlarge", "DL"),
        ("f1.2xlarge", "F"),
        ("g5.xlarge", "G and VT"),
        ("gr6.4xlarge", "G and VT"),
        ("hpc7g.4xlarge", "HPC"),
        ("inf2.xlarge", "Inf"),
        ("p5.48xlarge", "P"),
        ("trn1.2xlarge", "Trn"),
        ("u-6tb1.metal", "High Memory"),
        ("vt1.3xlarge", "G and VT"),
        ("x2gd.medium", "X"),
        ("", STANDARD),
    ],
)
def test_each_family_has_a_quota_of_vcpus(kind: str, family: str) -> None:
    assert quotas.sentence(fault("VcpuLimitExceeded"), kind) == (
        f'The quota "Running On-Demand {family} instances" of this account is used up: '
        "AWS says so (VcpuLimitExceeded)"
    )


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("AddressLimitExceeded", 'The quota "EC2-VPC Elastic IPs"'),
        ("InstanceLimitExceeded", 'The quota "Running On-Demand instances"'),
        ("MaxIOPSLimitExceeded", 'The quota "IOPS of EBS volumes"'),
        ("NetworkInterfaceLimitExceeded", 'The quota "Network interfaces per Region"'),
        ("PendingSnapshotLimitExceeded", 'The quota "Concurrent snapshots per volume"'),
        ("SnapshotLimitExceeded", 'The quota "Snapshots per Region"'),
        ("VolumeLimitExceeded", 'The quota "Storage of EBS volumes"'),
        ("RouteLimitExceeded", "A quota"),
    ],
)
def test_each_quota_has_its_name(code: str, name: str) -> None:
    error = fault(code)
    assert quotas.is_used_up(error)
    assert quotas.sentence(error) == f"{name} of this account is used up: AWS says so ({code})"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("RequestLimitExceeded", 503),  # that is throttling, and passes
        ("RouteLimitExceeded", 500),
        ("InvalidParameterValue", 400),
    ],
)
def test_other_codes_are_no_quota(code: str, status: int) -> None:
    assert not quotas.is_used_up(fault(code, status))
