"""What AWS refuses, sorted: by the code of an answer, and by the words where there is no code.

Each kind has an advice. A code that is not here is a :data:`REASON_OF_ITS_OWN`: it is told in AWS's
words too, with the place to look.

Sources: EC2 API reference, "Error codes for the Amazon EC2 API"; IAM user guide, "Troubleshoot
access denied error messages"; for the words of scaling activities EC2 Auto Scaling user guide,
"Troubleshoot issues in Amazon EC2 Auto Scaling", and public reports (kubernetes/autoscaler#1263,
gruntwork-io/terratest#693, aws/aws-parallelcluster#1944).
"""

from __future__ import annotations

import re
from enum import Enum

from ovenbird.core.quotes import prose


class Kind(Enum):
    """Why AWS refuses something; the value is what a person should do about it."""

    ROOM = (
        "Release again later; or give the group more subnets or instance types. AWS has no room "
        "there now."
    )
    QUOTA = (
        "Ask for more in Service Quotas, under the name that the reason has, or end what is not "
        "needed; then release again."
    )
    TEMPLATE = (
        "Correct what the reason names: it stands in the launch template or in the group, not in "
        "the release or its scripts. Publish a version without it, give it to the group, and "
        "release again."
    )
    IMAGE = (
        "Look at the image or snapshot that the reason names (bake.base, or the group's own): "
        "whether it exists, is available, and is shared with this account. Then release again."
    )
    KEY = (
        "Look at the KMS key of the volumes: whether it is enabled, whether the stack's parameter "
        "VolumeKmsKeyArn names it, and whether its policy lets this account use it. Then release "
        "again."
    )
    ACCOUNT = (
        "Settle it with AWS first: the account is blocked or not verified yet, or the terms of a "
        "product of AWS Marketplace are not accepted. Then release again."
    )
    PERMISSION = (
        "Give the function's role the permission that AWS names; the tag ovenbird:fleet may be "
        "missing on what it wanted to change. Where the reason names no permission, look the call "
        "up in CloudTrail and decode what it says with aws sts decode-authorization-message. Then "
        "release again."
    )
    ORGANISATION = (
        "Nothing that this account may do helps: a policy of the organisation forbids it. If it "
        "demands tags, name them in the fleet document (tags); else ask who keeps the policy. "
        "Then release again."
    )
    BOUNDARY = (
        "Widen the permissions boundary of the function's role (PermissionsBoundaryArn), or the "
        "policy of the endpoint or session that AWS names. Then release again."
    )
    PASSING = "Release again in a few minutes."
    REASON_OF_ITS_OWN = (
        "Do what AWS's words ask for; the code behind them leads to its documentation, and "
        "CloudTrail has the call. Then release again."
    )


_CODES: dict[Kind, frozenset[str]] = {
    Kind.ROOM: frozenset(
        {
            "IncompatibleHostRequirements",
            "InsufficientAddressCapacity",
            "InsufficientCapacity",
            "InsufficientCapacityOnHost",
            "InsufficientCapacityOnOutpost",
            "InsufficientFreeAddressesInSubnet",
            "InsufficientHostCapacity",
            "InsufficientInstanceCapacity",
            "InsufficientReservedInstanceCapacity",
            "InsufficientReservedInstancesCapacity",
            "InsufficientVolumeCapacity",
            "ReservationCapacityExceeded",
            "ReservedInstancesUnavailable",
            "SpotMaxPriceTooLow",
            "UnavailableHostRequirements",
            "UnfulfillableCapacity",
            "Unsupported",  # the type is not offered in the subnet's zone
            "VolumeTypeNotAvailableInZone",
            "ZonesMismatched",
        }
    ),
    Kind.QUOTA: frozenset(
        {
            "LimitExceeded",
            "LimitExceededException",
            "MaxSpotInstanceCountExceeded",
            "RequestResourceCountExceeded",
            "ReservedInstancesCountExceeded",
            "ResourceCountExceeded",
            "ResourceCountLimitExceeded",
            "VolumeIOPSLimit",
        }
    ),
    Kind.TEMPLATE: frozenset(
        {
            "BootForVolumeTypeUnsupported",
            "DefaultVpcDoesNotExist",
            "EncryptedVolumesNotSupported",
            "InstanceCreditSpecification.NotSupported",
            "InvalidAffinity",
            "InvalidAutoPlacement",
            "InvalidAvailabilityZone",
            "InvalidBlockDeviceMapping",
            "InvalidCapacityReservationIdMalformedException",
            "InvalidCapacityReservationIdNotFoundException",
            "InvalidCpuCredits.Malformed",
            "InvalidDevice.InUse",
            "InvalidGroup.NotFound",
            "InvalidGroupId.Malformed",
            "InvalidHostConfiguration",
            "InvalidHostID.Malformed",
            "InvalidHostID.NotFound",
            "InvalidHostId",
            "InvalidHostId.Malformed",
            "InvalidHostId.NotFound",
            "InvalidHostState",
            "InvalidIPAddress.InUse",
            "InvalidIamInstanceProfileArn.Malformed",
            "InvalidInstanceFamily",
            "InvalidInstanceType",
            "InvalidInterface.IpAddressLimitExceeded",
            "InvalidKernelId.Malformed",
            "InvalidKeyPair.NotFound",
            "InvalidLaunchTemplateId.Malformed",
            "InvalidLaunchTemplateId.NotFound",
            "InvalidLaunchTemplateId.VersionNotFound",
            "InvalidLaunchTemplateName.MalformedException",
            "InvalidLaunchTemplateName.NotFoundException",
            "InvalidNetworkInterface.InUse",
            "InvalidNetworkInterfaceID.NotFound",
            "InvalidNetworkInterfaceId.Malformed",
            "InvalidPlacementGroup.Unknown",
            "InvalidRamDiskId.Malformed",
            "InvalidSecurityGroupID.NotFound",
            "InvalidSecurityGroupId.Malformed",
            "InvalidSubnet",
            "InvalidSubnetID.Malformed",
            "InvalidSubnetID.NotFound",
            "InvalidTenancy",
            "InvalidUserData.Malformed",
            "InvalidVolume.ZoneMismatch",
            "InvalidZone.NotFound",
            "NetworkInterfaceNotFoundException",
            "Resource.AlreadyAssigned",
            "SecurityGroupsPerInstanceLimitExceeded",
            "SecurityGroupsPerInterfaceLimitExceeded",
            "UnknownVolumeType",
            "UnsupportedHibernationConfiguration",
            "UnsupportedHostConfiguration",
            "UnsupportedInstanceTypeOnHost",
            "UnsupportedTenancy",
            "VPCIdNotSpecified",
            "VPCResourceNotSpecified",
        }
    ),
    Kind.IMAGE: frozenset(
        {
            "InvalidAMIID.Malformed",
            "InvalidAMIID.NotFound",
            "InvalidAMIID.Unavailable",
            "InvalidManifest",
            "InvalidSnapshot.NotFound",
            "InvalidSnapshotID.Malformed",
        }
    ),
    Kind.KEY: frozenset(
        {
            "CustomerKeyHasBeenRevoked",
            "InvalidKMSKey.InvalidState",
            "InvalidKmsKey.InvalidState",
            "KMSAccessDeniedException",
            "KMSInvalidStateException",
            "KmsKeyNotAccessibleException",
        }
    ),
    Kind.ACCOUNT: frozenset(
        {"Blocked", "InvalidProductInfo", "OptInRequired", "PendingVerification"}
    ),
    Kind.PERMISSION: frozenset(
        {
            "AccessDenied",
            "AccessDeniedException",
            "AuthFailure",
            "AuthorizationError",
            "UnauthorizedAccess",
            "UnauthorizedOperation",
        }
    ),
    Kind.PASSING: frozenset(
        {
            "BandwidthLimitExceeded",
            "ConcurrentCreateImageNoRebootLimitExceeded",
            "ConcurrentSnapshotLimitExceeded",
            "ConcurrentTagAccess",
            "CreditSpecificationUpdateInProgress",
            "IncorrectState",
            "InvalidSecurity.RequestHasExpired",
            "RequestLimitExceeded",
            "ResourceContention",
            "ResourceInUse",
            "ScalingActivityInProgress",
            "SnapshotCreationPerVolumeRateExceeded",
        }
    ),
}
_KINDS = {code: kind for kind, codes in _CODES.items() for code in codes}
# What is wrong with a launch stands in the template, if EC2 says no more than that.
_OF_A_REQUEST = re.compile(r"(Invalid|Missing|Unknown|Unsupported|OperationNotPermitted)\w*")

_ORGANISATION = re.compile(r"\b(service|resource) control polic", re.I)
_BOUNDARY = re.compile(r"\b(permissions boundary|VPC endpoint polic|session polic)", re.I)
_ENCODED = re.compile(r"\.?\s*Encoded authorization failure message:\s*\S*", re.I)

# In the order in which they are tried: what is most particular comes first.
_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(words, re.I))
    for kind, words in (
        (Kind.PASSING, r"Request ?limit ?exceeded|Throttling|Rate exceeded"),
        (Kind.KEY, r"InvalidKMSKey|\bKMS key\b"),
        (Kind.ORGANISATION, _ORGANISATION.pattern),
        (
            Kind.ACCOUNT,
            r"pending verification|currently blocked|OptInRequired|accept (the )?terms|subscribe"
            r"|Free Tier|Authentication Failure",
        ),
        (
            Kind.QUOTA,
            r"LimitExceeded|current (vCPU|instance) limit|reached your quota|limit exceeded"
            r"|more vCPU capacity",
        ),
        (
            Kind.ROOM,
            r"sufficient( \S+)? capacity|no Spot capacity|UnfulfillableCapacity|free addresses"
            r"|not supported in your requested Availability Zone|Spot request price",
        ),
        (
            Kind.IMAGE,
            r"\b(image id|AMI|snapshot) '\S+' (does not exist|is (pending|not available|disabled))"
            r"|InvalidAMIID|InvalidSnapshot",
        ),
        (
            Kind.TEMPLATE,
            r"\b(security group|subnet|key pair|placement group|network interface)\b.*"
            r"(does not exist|invalid|unknown)|Invalid IAM Instance Profile|architecture"
            r"|smaller than snapshot|InvalidParameter",
        ),
        (Kind.PERMISSION, r"not authorized|UnauthorizedOperation|AccessDenied"),
    )
)
_REFUSED = re.compile(r"Could not (?P<action>.+?): .*\((?P<code>[A-Za-z][\w.]+)\)", re.DOTALL)


def kind(code: str, words: str = "", action: str = "") -> Kind:
    """Why AWS refuses something, by the code of its answer.

    Args:
        words: What it says; read only where a permission is denied, to tell whose word that is.
        action: What was tried, such as ``launch a builder``.
    """
    known = _KINDS.get(code)
    if known is Kind.PERMISSION:
        if _ORGANISATION.search(words):
            return Kind.ORGANISATION
        return Kind.BOUNDARY if _BOUNDARY.search(words) else known
    if known is not None:
        return known
    if code.endswith(("LimitExceeded", "LimitExceededException", "QuotaExceededException")):
        return Kind.QUOTA
    if action.startswith("launch") and _OF_A_REQUEST.fullmatch(code):
        return Kind.TEMPLATE
    return Kind.REASON_OF_ITS_OWN


def kind_of_words(words: str) -> Kind | None:
    """The same where AWS tells no code, as in a scaling activity; ``None`` where nobody knows."""
    return next((kind for kind, known in _WORDS if known.search(words)), None)


def kind_of_cause(cause: str) -> Kind | None:
    """The same from a sentence of ours about an answer of AWS; ``None`` for every other sentence.

    Scripts and people write causes too: only a sentence that begins as ours do is read.
    """
    found = _REFUSED.match(cause)
    if found is None:
        return None
    return kind(found["code"], cause, found["action"])


def sentence(action: str, words: str, code: str) -> str:
    """What is told of an answer: ``Could not launch a builder: … (InvalidParameterValue)``."""
    return f"Could not {action}: {plain(words)} ({code})"


def plain(words: str) -> str:
    """AWS's words without what nobody can read: the encoded part of a denial."""
    return prose(_ENCODED.sub("", words)).strip()


def is_of_the_zone(code: str) -> bool:
    """Whether another subnet may do where a launch is refused with that code."""
    return kind(code) is Kind.ROOM or code in ("InvalidSubnetID.NotFound", "InvalidZone.NotFound")


def is_of_the_type(code: str) -> bool:
    """Whether another instance type, or another way to buy it, may do."""
    if code in ("Unsupported", "UnsupportedOperation"):
        return True
    return kind(code) is Kind.QUOTA or code in _OF_TYPES


_OF_TYPES = frozenset(
    {
        "EncryptedVolumesNotSupported",
        "InstanceCreditSpecification.NotSupported",
        "InvalidCapacityReservationIdNotFoundException",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "UnsupportedHibernationConfiguration",
        "UnsupportedHostConfiguration",
        "UnsupportedInstanceTypeOnHost",
    }
)
