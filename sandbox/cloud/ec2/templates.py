"""Launch templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.cloud.ec2 import filters
from sandbox.cloud.ec2.tags import Tags, as_list, requested
from sandbox.cloud.ec2.template_versions import Template, Version, inherited, shown_version
from sandbox.cloud.ec2.tokens import Tokens
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.pages import page
from sandbox.cloud.visibility import Visibility

_PARAMETER = "resolve:ssm:"


class Templates:
    """``resolve`` turns the name of an SSM parameter into the image id that it holds."""

    def __init__(
        self,
        kernel: Kernel,
        tags: Tags,
        visibility: Visibility,
        resolve: Callable[[str], str],
    ) -> None:
        self._kernel, self._tags, self._visibility = kernel, tags, visibility
        self._resolve = resolve
        self._tokens: Tokens[tuple[str, int]] = Tokens()
        self.all: dict[str, Template] = {}
        tags.owner("lt", lambda template_id: self.find({"LaunchTemplateId": template_id}))

    def find(self, named: dict[str, Any]) -> Template:
        """The template that ``LaunchTemplateId`` or ``LaunchTemplateName`` names (one of them)."""
        template_id, name = named.get("LaunchTemplateId"), named.get("LaunchTemplateName")
        if template_id and name:
            raise AwsError(
                "InvalidParameterCombination",
                "You must specify either a launch template ID or a launch template name, not both.",
            )
        if template_id:
            template = self.all.get(template_id)
            if template is None or not self._visibility.sees(template_id):
                raise AwsError(
                    "InvalidLaunchTemplateId.NotFound",
                    f"The specified launch template, with template ID {template_id}, does not"
                    " exist.",
                )
            return template
        if not name:
            raise AwsError(
                "MissingParameter",
                "You must specify either a launch template ID or a launch template name.",
            )
        for template in self.all.values():
            if template.name == name and self._visibility.sees(template.template_id):
                return template
        raise AwsError(
            "InvalidLaunchTemplateName.NotFoundException",
            f"The specified launch template, with template name {name}, does not exist.",
        )

    def resolve(self, specification: dict[str, Any]) -> tuple[Template, Version]:
        """The template and version of a LaunchTemplateSpecification (default: ``$Default``)."""
        named = {k: specification[k] for k in specification if k != "Version"}
        template = self.find(named)
        return template, template.version(specification.get("Version") or "$Default")

    def image(self, image_id: str) -> str:
        """The image id itself, or the one that ``resolve:ssm:…`` means now."""
        if not image_id.startswith(_PARAMETER):
            return image_id
        return self._resolve(image_id.removeprefix(_PARAMETER))

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateLaunchTemplate": self.create,
            "CreateLaunchTemplateVersion": self.create_version,
            "ModifyLaunchTemplate": self.modify,
            "DeleteLaunchTemplate": self.delete,
            "DeleteLaunchTemplateVersions": self.delete_versions,
            "DescribeLaunchTemplates": self.describe,
            "DescribeLaunchTemplateVersions": self.describe_versions,
        }

    def create(self, params: Parameters) -> Result:
        """The content is hardly looked at: AWS checks it only when something is launched."""
        if made := self._tokens.made(params):
            return {"LaunchTemplate": self._shown(self.all[made[0]])}
        name = params["LaunchTemplateName"]
        if not re.fullmatch(r"[A-Za-z0-9().\-/_]{3,128}", name):
            raise AwsError(
                "InvalidLaunchTemplateName.MalformedException",
                f"The launch template name {name!r} is malformed.",
            )
        if any(template.name == name for template in self.all.values()):
            raise AwsError(
                "InvalidLaunchTemplateName.AlreadyExistsException",
                "Launch template name already in use.",
            )
        tags = requested(params.get("TagSpecifications", ()), ("launch-template",))
        template = Template(self._kernel.ids.resource("lt"), name, self._kernel.now())
        template.add(
            params["LaunchTemplateData"], params.get("VersionDescription", ""), self._kernel.now()
        )
        self.all[template.template_id] = template
        self._tags.put(template.template_id, tags.get("launch-template", {}))
        self._visibility.born(template.template_id)
        self._tokens.keep(params, (template.template_id, 1))
        return {"LaunchTemplate": self._shown(template)}

    def create_version(self, params: Parameters) -> Result:
        template = self.find(_named(params))
        if made := self._tokens.made(params):
            return self._version_answer(template, template.version(str(made[1])))
        content = params["LaunchTemplateData"]
        if source := params.get("SourceVersion"):
            content = inherited(template.version(source).content, content)
        version = template.add(content, params.get("VersionDescription", ""), self._kernel.now())
        self._tokens.keep(params, (template.template_id, version.number))
        return self._version_answer(template, version)

    def modify(self, params: Parameters) -> Result:
        template = self.find(_named(params))
        wanted = params.get("DefaultVersion")
        if wanted and self._tokens.made(params) is None:
            template.default = template.version(wanted).number
        self._tokens.keep(params, (template.template_id, template.default))
        return {"LaunchTemplate": self._shown(template)}

    def delete(self, params: Parameters) -> Result:
        template = self.find(_named(params))
        shown = self._shown(template)
        del self.all[template.template_id]
        self._tags.forget(template.template_id)
        return {"LaunchTemplate": shown}

    def delete_versions(self, params: Parameters) -> Result:
        """Deleting the default version is refused; a version that a group uses is not.

        Source: EC2 API reference, DeleteLaunchTemplateVersions.
        """
        template = self.find(_named(params))
        gone: list[dict[str, Any]] = []
        kept: list[dict[str, Any]] = []
        for wanted in params["Versions"]:
            item: dict[str, Any] = {
                "LaunchTemplateId": template.template_id,
                "LaunchTemplateName": template.name,
            }
            if wanted.isdigit():
                item["VersionNumber"] = int(wanted)
            number = item.get("VersionNumber")
            if number in template.versions and number != template.default:
                del template.versions[number]
                gone.append(item)
                continue
            error = (
                ("unexpectedError", "The default version of a launch template cannot be deleted.")
                if number == template.default
                else ("launchTemplateVersionDoesNotExist", "The version does not exist.")
            )
            kept.append(item | {"ResponseError": {"Code": error[0], "Message": error[1]}})
        return {
            "SuccessfullyDeletedLaunchTemplateVersions": gone,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }

    def describe(self, params: Parameters) -> Result:
        named = [
            self.find({key: value})
            for key, values in (
                ("LaunchTemplateId", params.get("LaunchTemplateIds", ())),
                ("LaunchTemplateName", params.get("LaunchTemplateNames", ())),
            )
            for value in values
        ]
        found = filters.chosen(
            params.get("Filters", ()),
            named or self._visible(),
            {
                "launch-template-name": lambda one: [one.name],
                "create-time": lambda one: [one.created.isoformat()],
            },
            lambda one: self._tags.of(one.template_id),
        )
        found, more = page(found, params, least=1, most=200)
        return {"LaunchTemplates": [self._shown(one) for one in found], **more}

    def describe_versions(self, params: Parameters) -> Result:
        """The newest first; without a template only ``$Latest`` and ``$Default`` of each."""
        wanted = params.get("Versions")
        if not params.get("LaunchTemplateId") and not params.get("LaunchTemplateName"):
            if not wanted or not set(wanted) <= {"$Latest", "$Default"}:
                raise AwsError(
                    "MissingParameter",
                    "You must specify either a launch template ID or a launch template name.",
                )
            templates: Iterable[Template] = self._visible()
        else:
            templates = [self.find(_named(params))]
        pairs = []
        for template in templates:
            numbers = {template.version(one).number for one in wanted} if wanted else None
            least, most = (
                template.version(params[key]).number if params.get(key) else otherwise
                for key, otherwise in (("MinVersion", 0), ("MaxVersion", template.latest))
            )
            pairs += [
                (template, template.versions[number])
                for number in sorted(template.versions, reverse=True)
                if (numbers is None or number in numbers) and least <= number <= most
            ]
        pairs = filters.chosen(
            params.get("Filters", ()),
            pairs,
            {
                "image-id": lambda pair: [pair[1].content.get("ImageId", "")],
                "instance-type": lambda pair: [pair[1].content.get("InstanceType", "")],
                "is-default-version": lambda pair: [str(pair[1].number == pair[0].default).lower()],
            },
            lambda _: {},
        )
        pairs, more = page(pairs, params, least=1, most=200)
        versions = [shown_version(*pair, self._creator) for pair in pairs]
        if params.get("ResolveAlias"):
            for version in versions:
                if image_id := version["LaunchTemplateData"].get("ImageId"):
                    version["LaunchTemplateData"] = version["LaunchTemplateData"] | {
                        "ImageId": self.image(image_id)
                    }
        return {"LaunchTemplateVersions": versions, **more}

    @property
    def _creator(self) -> str:
        return f"arn:aws:iam::{self._kernel.account}:root"

    def _visible(self) -> list[Template]:
        return [one for one in self.all.values() if self._visibility.sees(one.template_id)]

    def _version_answer(self, template: Template, version: Version) -> Result:
        return {"LaunchTemplateVersion": shown_version(template, version, self._creator)}

    def _shown(self, template: Template) -> Result:
        return {
            "LaunchTemplateId": template.template_id,
            "LaunchTemplateName": template.name,
            "CreateTime": template.created,
            "CreatedBy": self._creator,
            "DefaultVersionNumber": template.default,
            "LatestVersionNumber": max(template.versions),
            **as_list(self._tags.of(template.template_id)),
        }


def _named(params: Parameters) -> Parameters:
    return {k: params[k] for k in ("LaunchTemplateId", "LaunchTemplateName") if k in params}
