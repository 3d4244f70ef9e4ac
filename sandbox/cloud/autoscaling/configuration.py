"""What a group launches instances from: a launch template, or a mixed instances policy."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.autoscaling.ground import Instances
from sandbox.cloud.errors import AwsError

Spec = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """One way to launch: a template version, and what is put over it (type, image).

    ``weight`` is the units that an instance counts for; ``weighs`` whether somebody said so.
    """

    template: Spec
    overrides: dict[str, Any]
    weight: int = 1
    weighs: bool = False


@dataclass(frozen=True)
class Configuration:
    """A launch template *or* a mixed instances policy, as AWS shows them again.

    Both the id and the name of a template are shown, whichever was sent.
    """

    template: Spec | None = None
    mixed: dict[str, Any] | None = None

    def written(self) -> dict[str, Any]:
        """The members ``LaunchTemplate`` or ``MixedInstancesPolicy`` of an answer."""
        if self.mixed is not None:
            return {"MixedInstancesPolicy": deepcopy(self.mixed)}
        return {"LaunchTemplate": dict(self.template or {})}

    @property
    def base(self) -> Spec:
        """The launch template, also of a mixed instances policy."""
        if self.mixed is not None:
            spec: Spec = self.mixed["LaunchTemplate"]["LaunchTemplateSpecification"]
            return spec
        assert self.template is not None
        return self.template

    @property
    def overrides(self) -> list[dict[str, Any]]:
        """The overrides of a mixed instances policy."""
        if self.mixed is None:
            return []
        return list(self.mixed["LaunchTemplate"].get("Overrides", []))

    def sources(self) -> list[Source]:
        """Every way to launch, the preferred one first."""
        found = []
        for override in self.overrides:
            over = {k: v for k, v in override.items() if k in ("InstanceType", "ImageId")}
            weight = override.get("WeightedCapacity")
            template = override.get("LaunchTemplateSpecification", self.base)
            found.append(Source(template, over, int(weight or 1), weight is not None))
        return found or [Source(self.base, {})]

    @property
    def is_pinned(self) -> bool:
        """Whether every template is named by a version number."""
        return all(str(source.template["Version"]).isdigit() for source in self.sources())


def read(params: dict[str, Any], ec2: Instances) -> Configuration | None:
    """The configuration in a request's members, ``None`` if it names none.

    Raises:
        AwsError: A template that does not exist, or one that is named twice over.
    """
    if "MixedInstancesPolicy" in params:
        mixed = deepcopy(params["MixedInstancesPolicy"])
        launch = mixed.get("LaunchTemplate", {})
        if "LaunchTemplateSpecification" not in launch:
            raise AwsError(
                "ValidationError", "A mixed instances policy must have a launch template."
            )
        launch["LaunchTemplateSpecification"] = _named(launch["LaunchTemplateSpecification"], ec2)
        _check_weights(launch.get("Overrides", []))
        for override in launch.get("Overrides", []):
            if "LaunchTemplateSpecification" in override:
                spec = override["LaunchTemplateSpecification"]
                override["LaunchTemplateSpecification"] = _named(spec, ec2)
        return Configuration(mixed=mixed)
    if "LaunchTemplate" in params:
        return Configuration(template=_named(params["LaunchTemplate"], ec2))
    return None


def _check_weights(overrides: list[dict[str, Any]]) -> None:
    """All or none, and from 1 to 999. Source: Auto Scaling API reference, LaunchTemplateOverrides.

    The texts are ours.
    """
    weights = [each.get("WeightedCapacity") for each in overrides]
    if any(weights) and not all(weights):
        raise AwsError(
            "ValidationError",
            "If you specify WeightedCapacity for one instance type, you must specify it for all.",
        )
    for weight in filter(None, weights):
        if not str(weight).isdigit() or not 1 <= int(weight) <= 999:
            raise AwsError("ValidationError", "WeightedCapacity must be from 1 to 999.")


def _named(spec: Spec, ec2: Instances) -> Spec:
    """Id, name and version; AWS answers with both names and accepts only one of them."""
    if ("LaunchTemplateId" in spec) == ("LaunchTemplateName" in spec):
        raise AwsError(
            "ValidationError",
            "Valid requests must contain either launchTemplateId or LaunchTemplateName",
        )
    # Version defaults to $Default. Source: Auto Scaling API reference,
    # LaunchTemplateSpecification.
    version = str(spec.get("Version") or "$Default")
    found = resolve({**spec, "Version": version}, ec2)
    return {
        "LaunchTemplateId": found["LaunchTemplateId"],
        "LaunchTemplateName": found["LaunchTemplateName"],
        "Version": version,
    }


def by_id(spec: Spec) -> Spec:
    """The specification as EC2 wants it: the id alone."""
    return {"LaunchTemplateId": spec["LaunchTemplateId"], "Version": spec["Version"]}


def resolve(spec: Spec, ec2: Instances) -> dict[str, Any]:
    """The template and the number that the version means now, in Auto Scaling's own words."""
    try:
        named = by_id(spec) if "LaunchTemplateId" in spec else spec
        return ec2.resolve_template(named)
    except AwsError as error:
        raise AwsError(
            "ValidationError",
            f"You must use a valid fully-formed launch template. {error.message}",
        ) from error
