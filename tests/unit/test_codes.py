"""What AWS refuses is sorted, each kind with an advice, and nothing is without one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.aws import faults
from ovenbird.core import codes, notices
from ovenbird.core.codes import Kind
from ovenbird.core.notices import Told

LAUNCH = "launch a builder"
# EC2 API reference, "Error codes": those of the calls that we make, and of the common ones.
DOCUMENTED = {
    Kind.ROOM: """
        IncompatibleHostRequirements InsufficientAddressCapacity InsufficientCapacity
        InsufficientCapacityOnHost InsufficientFreeAddressesInSubnet InsufficientHostCapacity
        InsufficientInstanceCapacity InsufficientReservedInstanceCapacity
        InsufficientReservedInstancesCapacity InsufficientVolumeCapacity ReservationCapacityExceeded
        UnavailableHostRequirements Unsupported VolumeTypeNotAvailableInZone ZonesMismatched
    """,
    Kind.QUOTA: """
        AddressLimitExceeded AttachmentLimitExceeded HostLimitExceeded InstanceLimitExceeded
        MaxIOPSLimitExceeded MaxSpotInstanceCountExceeded MaxTemplateVersionLimitExceeded
        NetworkInterfaceLimitExceeded PendingSnapshotLimitExceeded PrivateIpAddressLimitExceeded
        ResourceLimitExceeded ResourceCountExceeded SnapshotLimitExceeded TagLimitExceeded
        VcpuLimitExceeded VolumeIOPSLimit VolumeLimitExceeded
    """,
    Kind.TEMPLATE: """
        BootForVolumeTypeUnsupported DefaultVpcDoesNotExist EncryptedVolumesNotSupported
        InstanceCreditSpecification.NotSupported InvalidAvailabilityZone InvalidBlockDeviceMapping
        InvalidGroup.NotFound InvalidGroupId.Malformed InvalidHostID.NotFound
        InvalidIamInstanceProfileArn.Malformed InvalidInstanceAttributeValue InvalidInstanceType
        InvalidInterface.IpAddressLimitExceeded InvalidKeyPair.NotFound
        InvalidLaunchTemplateId.NotFound InvalidLaunchTemplateId.VersionNotFound
        InvalidNetworkInterface.InUse InvalidNetworkInterfaceID.NotFound InvalidParameter
        InvalidParameterCombination InvalidParameterValue InvalidPlacementGroup.Unknown
        InvalidSecurityGroupID.NotFound InvalidSubnetID.NotFound InvalidTenancy MissingInput
        MissingParameter OperationNotPermitted Resource.AlreadyAssigned
        SecurityGroupsPerInterfaceLimitExceeded UnknownParameter UnknownVolumeType
        UnsupportedHibernationConfiguration UnsupportedHostConfiguration
        UnsupportedInstanceTypeOnHost UnsupportedOperation UnsupportedTenancy VPCIdNotSpecified
        VPCResourceNotSpecified
    """,
    Kind.IMAGE: """
        InvalidAMIID.Malformed InvalidAMIID.NotFound InvalidAMIID.Unavailable InvalidManifest
        InvalidSnapshot.NotFound InvalidSnapshotID.Malformed
    """,
    Kind.KEY: "CustomerKeyHasBeenRevoked",
    Kind.ACCOUNT: "Blocked InvalidProductInfo OptInRequired PendingVerification",
    Kind.PERMISSION: "AuthFailure UnauthorizedOperation AccessDenied AccessDeniedException",
    Kind.PASSING: """
        ConcurrentCreateImageNoRebootLimitExceeded ConcurrentSnapshotLimitExceeded
        ConcurrentTagAccess CreditSpecificationUpdateInProgress IncorrectState
        SnapshotCreationPerVolumeRateExceeded
    """,
}


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind, known in DOCUMENTED.items() for code in known.split()]
)
def test_every_documented_code_of_a_launch_is_sorted(code: str, kind: Kind) -> None:
    assert codes.kind(code, action=LAUNCH) is kind


@pytest.mark.parametrize("code", sorted(faults._THROTTLED | faults._UNAVAILABLE))
def test_what_is_tried_again_blames_nothing_that_lasts(code: str) -> None:
    """``RequestLimitExceeded`` ends like a quota, and is none."""
    assert codes.kind(code) in (Kind.PASSING, Kind.REASON_OF_ITS_OWN)
    assert not codes.is_of_the_type(code)


def test_no_code_has_two_kinds() -> None:
    every = [code for known in codes._CODES.values() for code in known]
    assert len(every) == len(set(every))


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40))
def test_every_code_has_an_advice(code: str) -> None:
    assert codes.kind(code).value
    assert codes.kind(code, action=LAUNCH).value


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        pytest.param("You are not authorized to perform this operation.", Kind.PERMISSION, id="?"),
        pytest.param(
            "User: arn is not authorized to perform: ec2:RunInstances because no identity-based "
            "policy allows the ec2:RunInstances action",
            Kind.PERMISSION,
            id="implicit",
        ),
        pytest.param(
            "not authorized with an explicit deny in an identity-based policy",
            Kind.PERMISSION,
            id="explicit, of the role",
        ),
        pytest.param(
            "not authorized to perform: ec2:RunInstances with an explicit deny in a service control"
            " policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1",
            Kind.ORGANISATION,
            id="service control policy",
        ),
        pytest.param(
            "because no service control policy allows the ec2:CreateImage action",
            Kind.ORGANISATION,
            id="implicit, of the organisation",
        ),
        pytest.param(
            "with an explicit deny in a resource control policy",
            Kind.ORGANISATION,
            id="resource control policy",
        ),
        pytest.param(
            "because no permissions boundary allows the ec2:RunInstances action",
            Kind.BOUNDARY,
            id="boundary",
        ),
        pytest.param(
            "with an explicit deny in a VPC endpoint policy", Kind.BOUNDARY, id="endpoint"
        ),
    ],
)
def test_a_denial_says_whose_word_it_is(words: str, kind: Kind) -> None:
    assert codes.kind("UnauthorizedOperation", words, LAUNCH) is kind
    assert codes.kind("AccessDenied", words) is kind


def test_only_a_denial_is_read() -> None:
    assert codes.kind("InvalidParameterValue", "service control policy", LAUNCH) is Kind.TEMPLATE
    assert codes.kind("InvalidParameterValue", "service control policy") is Kind.REASON_OF_ITS_OWN


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("You have requested more vCPU capacity than your current vCPU limit of 0", Kind.QUOTA),
        ("Could not launch On-Demand Instances. VcpuLimitExceeded - You have", Kind.QUOTA),
        ("You've reached your quota for maximum Fleet Requests for this account.", Kind.QUOTA),
        ("You have requested more instances (7) than your current instance limit", Kind.QUOTA),
        ("Termination Reason: Client.VolumeLimitExceeded: Volume limit exceeded", Kind.QUOTA),
        ("We currently do not have sufficient p3dn.24xlarge capacity in the zone", Kind.ROOM),
        ("There is no Spot capacity available that matches your request.", Kind.ROOM),
        ("UnfulfillableCapacity - Unable to fulfill capacity due to your request", Kind.ROOM),
        ("There are not enough free addresses in subnet 'subnet-1' to satisfy", Kind.ROOM),
        ("type (c6i.2xlarge) is not supported in your requested Availability Zone", Kind.ROOM),
        ("The image id 'ami-1' does not exist. Launching EC2 instance failed.", Kind.IMAGE),
        ("The security group 'sg-1' does not exist in VPC 'vpc-1'.", Kind.TEMPLATE),
        ("Invalid IAM Instance Profile", Kind.TEMPLATE),
        ("The key pair 'ops' does not exist. Launching EC2 instance failed.", Kind.TEMPLATE),
        ("Client.InvalidKMSKey.InvalidState: The KMS key provided is in an", Kind.KEY),
        ("The specified instance type is not eligible for Free Tier.", Kind.ACCOUNT),
        ("Authentication Failure. Launching EC2 instance failed.", Kind.ACCOUNT),
        ("You are not authorized to use launch template: lt-1", Kind.PERMISSION),
        ("not authorized with an explicit deny in a service control policy", Kind.ORGANISATION),
        ("Request limit exceeded. Launching EC2 instance failed.", Kind.PASSING),
        ("Instance failed to complete user's Lifecycle Action", None),
        ("", None),
    ],
)
def test_the_words_of_an_activity_are_sorted(words: str, kind: Kind | None) -> None:
    assert codes.kind_of_words(words) is kind


def cause(said: str, kind: str = "BakeFailed") -> str:
    return json.dumps({"errorMessage": said, "errorType": kind, "stackTrace": []})


def notice(error: str, said: str) -> str:
    told = Told("web", "web-1", "release", revision="v2")
    made = notices.failed(told, error=error, cause=cause(said), undone="Nothing.", took=None)
    return made.text


@pytest.mark.parametrize(
    ("error", "said", "kind"),
    [
        (
            "BakeFailed",
            "Could not launch a builder: Volume of size 8GB is smaller than snapshot 'snap-0a', "
            "expect size>= 30GB (InvalidBlockDeviceMapping)",
            Kind.TEMPLATE,
        ),
        (
            "NotFound",
            "Could not launch a builder: The key pair 'x' does not exist (InvalidKeyPair.NotFound)",
            Kind.TEMPLATE,
        ),
        (
            "Denied",
            "Could not launch a builder: not authorized with an explicit deny in a service control "
            "policy (UnauthorizedOperation)",
            Kind.ORGANISATION,
        ),
        (
            "BakeFailed",
            "Could not launch a builder: EC2 has no room: a (InsufficientInstanceCapacity); b "
            "(InsufficientInstanceCapacity)",
            Kind.ROOM,
        ),
        (
            "BakeFailed",
            'Could not launch a builder: The quota "x" of this account is used up: a '
            "(VcpuLimitExceeded)",
            Kind.QUOTA,
        ),
        (
            "RollFailed",
            "Could not start a refresh of group web: Never heard of (NeverHeardOf)",
            Kind.REASON_OF_ITS_OWN,
        ),
        (
            "BakeFailed",
            "Could not launch a builder: In order to use this AWS Marketplace product you need to "
            "accept terms (OptInRequired)",
            Kind.ACCOUNT,
        ),
    ],
)
def test_a_notice_has_the_advice_of_what_aws_said(error: str, said: str, kind: Kind) -> None:
    assert f"What to do: {kind.value}" in notice(error, said)
    assert "no name of ours" not in notice(error, said)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("Install failed with exit code 1. Its last output:\nx (Blocked)", id="script"),
        pytest.param("The builder i-1 did not start (OptInRequired)", id="another sentence"),
    ],
)
def test_what_others_write_is_no_answer_of_aws(said: str) -> None:
    assert codes.kind_of_cause(said) is None
    assert f"What to do: {notices.advice('BakeFailed')}" in notice("BakeFailed", said)


def test_the_loudest_advice_is_never_replaced() -> None:
    said = "Could not roll back the refresh of group web: no (AccessDenied)"
    assert "NOW" in notice("UndoFailed", said)


@pytest.mark.parametrize(
    ("code", "zone", "kind"),
    [
        ("InsufficientInstanceCapacity", True, False),
        ("Unsupported", True, True),
        ("InvalidSubnetID.NotFound", True, False),
        ("VcpuLimitExceeded", False, True),
        ("InvalidParameterValue", False, True),
        ("InvalidBlockDeviceMapping", False, False),
        ("InvalidKeyPair.NotFound", False, False),
        ("OptInRequired", False, False),
        ("UnauthorizedOperation", False, False),
        ("NeverHeardOf", False, False),
    ],
)
def test_where_else_a_launch_may_work(code: str, zone: bool, kind: bool) -> None:
    assert (codes.is_of_the_zone(code), codes.is_of_the_type(code)) == (zone, kind)
