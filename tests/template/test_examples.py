"""The fleet to deploy: CloudFormation accepts it, and Ovenbird would roll it as it is.

The template is plain CloudFormation; what it makes is put before the code that refuses fleets.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types
from samtranslator.yaml_helper import yaml_parse

from ovenbird import events, fleet
from ovenbird.core.addresses import Address
from ovenbird.core.groups import Group, Member, TemplateVersion
from ovenbird.core.images import Image
from ovenbird.core.preferences import preferences
from ovenbird.core.refusals import refusals
from ovenbird.core.surveys import Survey
from ovenbird.core.templates import Version
from tests.template.deployed import ROOT, many, written

FOLDER = ROOT / "examples/web-fleet"
REGIONS = ["us-east-1", "eu-west-1"]
IMAGE = "ami-0123456789abcdef0"
HOME = ("eu-west-1", "123456789012")
TEMPLATE: dict[str, Any] = yaml_parse((FOLDER / "template.yaml").read_text())
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
NAME: str = TEMPLATE["Parameters"]["FleetName"]["Default"]


def of(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    return {
        name: each["Properties"] for name, each in RESOURCES.items() if each["Type"].endswith(kind)
    }


def value(written: Any) -> str:
    """What a text is when the stack is made with its defaults; ids are those of the template."""
    if isinstance(written, dict):
        ((function, argument),) = written.items()
        written = f"${{{argument}}}" if function == "Ref" else argument
    return re.sub(r"\$\{(\w+)(\.\w+)?\}", lambda found: _named(found[1]), str(written))


def _named(name: str) -> str:
    if name == "Image":
        return IMAGE
    if name in TEMPLATE["Parameters"]:
        return str(TEMPLATE["Parameters"][name]["Default"])
    properties = RESOURCES[name]["Properties"]
    own = properties.get("AutoScalingGroupName") or properties.get("AlarmName")
    return value(own) if own else name.lower()


def tags(written: list[dict[str, Any]]) -> dict[str, str]:
    return {tag["Key"]: value(tag["Value"]) for tag in written}


def seen() -> Survey:
    """The fleet as PlanRollout would see it on the day on which it was deployed."""
    (group,), (template,) = of("AutoScalingGroup").values(), of("LaunchTemplate").values()
    document = the_document()
    version = TemplateVersion(
        value(group["LaunchTemplate"]["LaunchTemplateId"]),
        value(group["LaunchTemplate"]["Version"]),
    )
    desired = int(value(group["DesiredCapacity"]))
    found = Group(
        name=value(group["AutoScalingGroupName"]),
        arn="",
        min_size=int(value(group["MinSize"])),
        max_size=int(value(group["MaxSize"])),
        desired=desired,
        template=version,
        members=tuple(
            Member(f"i-{number}", "InService", healthy=True, template=version)
            for number in range(desired)
        ),
        tags=tags(group["Tags"]),
        propagated=frozenset(tag["Key"] for tag in group["Tags"] if tag["PropagateAtLaunch"]),
    )
    content = template["LaunchTemplateData"]
    content = {**content, "ImageId": value(content["ImageId"])}
    return Survey(
        fleet=NAME,
        roll=document.roll,
        group=found,
        refreshes=(),
        running=(Version(version.template_id, version.version, content),),
        preferences=preferences(document.roll, desired=desired, addresses=True),
        current_id=content["ImageId"],
        current=Image(IMAGE, "al2023", "available"),
        template_tags={version.template_id: tags(template["TagSpecifications"][0]["Tags"])},
        alarms={value(alarm["AlarmName"]): "OK" for alarm in of("Alarm").values()},
        pool=tuple(
            Address(name, f"192.0.2.{number}")
            for number, (name, address) in enumerate(of("::EIP").items())
            if tags(address["Tags"]).get("ovenbird:fleet") == NAME
        ),
        address_count=document.addresses.count,
    )


def the_document() -> fleet.Fleet:
    (parameter,) = of("SSM::Parameter").values()
    folder, _, name = value(parameter["Name"]).rpartition("/")
    assert folder == "/ovenbird/fleets"
    assert (
        len(value(parameter["Value"])) < 4096 - 500
    )  # a standard parameter; real names are longer
    return fleet.parse(name, value(parameter["Value"]))


@pytest.mark.parametrize("region", REGIONS)
def test_cloudformation_has_nothing_against_it(region: str) -> None:
    found = lint((FOLDER / "template.yaml").read_text(), config={"regions": [region]})
    assert [f"{match.rule.id} {match.message}" for match in found] == []


def test_ovenbird_would_roll_it_as_it_is() -> None:
    assert refusals(seen()) == ()


def test_the_document_names_what_the_stack_makes() -> None:
    document = the_document()
    assert document.group == seen().group.name
    assert document.release.s3 is not None
    assert (document.release.s3.bucket, document.release.s3.key) == ("releases", f"{NAME}/*.tar.gz")
    assert set(document.roll.alarms) == {value(each["AlarmName"]) for each in of("Alarm").values()}
    assert document.addresses.count == len(of("::EIP"))
    assert document.bake.install
    assert document.bake.verify


def test_the_version_can_be_nothing_but_a_number_and_changes_only_by_hand() -> None:
    """An attribute of the launch template would bring a later stack update over Ovenbird's work."""
    (group,) = of("AutoScalingGroup").values()
    assert group["LaunchTemplate"]["Version"] == {"Ref": "LaunchTemplateVersion"}
    pattern = TEMPLATE["Parameters"]["LaunchTemplateVersion"]["AllowedPattern"]
    assert re.fullmatch(pattern, "17")
    assert not any(re.fullmatch(pattern, alias) for alias in ("$Latest", "$Default", "0", ""))
    (made,) = (each for each in RESOURCES.values() if each["Type"].endswith("AutoScalingGroup"))
    assert made["UpdatePolicy"] == {
        "AutoScalingScheduledAction": {"IgnoreUnmodifiedGroupSizeProperties": True}
    }


def test_the_image_in_the_launch_template_is_an_id() -> None:
    (template,) = of("LaunchTemplate").values()
    assert template["LaunchTemplateData"]["ImageId"] == {"Ref": "Image"}
    assert TEMPLATE["Parameters"]["Image"]["Type"] == (
        "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    )


def test_every_tag_of_the_group_reaches_its_instances() -> None:
    (group,) = of("AutoScalingGroup").values()
    assert all(tag["PropagateAtLaunch"] is True for tag in group["Tags"])


def test_instances_ask_for_tokens_and_keep_their_disks_encrypted() -> None:
    (template,) = of("LaunchTemplate").values()
    content = template["LaunchTemplateData"]
    assert content["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }
    assert [each["Ebs"]["Encrypted"] for each in content["BlockDeviceMappings"]] == [True]
    assert [each["Ebs"]["DeleteOnTermination"] for each in content["BlockDeviceMappings"]] == [True]


def test_only_the_balancer_reaches_the_instances() -> None:
    groups = of("EC2::SecurityGroup")
    (way_in,) = groups["InstanceSecurityGroup"]["SecurityGroupIngress"]
    assert way_in["SourceSecurityGroupId"] == {"Ref": "BalancerSecurityGroup"}
    assert (way_in["FromPort"], way_in["ToPort"]) == (8080, 8080)
    assert RESOURCES["DirectAccess"]["Condition"] == "HasDirectAccess"
    assert TEMPLATE["Parameters"]["DirectAccessCidr"]["Default"] == ""


def test_the_instances_role_reads_the_fleets_releases_and_nothing_else() -> None:
    (role,) = of("IAM::Role").values()
    assert [value(arn).rpartition("/")[2] for arn in role["ManagedPolicyArns"]] == [
        "AmazonSSMManagedInstanceCore"
    ]
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert set(many(statement["Action"])) == {"s3:GetObject", "s3:GetObjectVersion"}
    assert statement["Resource"]["Fn::Sub"].endswith(":s3:::${Releases}/${FleetName}/*")


def test_the_release_bucket_is_private_keeps_versions_and_sends_its_events() -> None:
    (bucket,) = of("S3::Bucket").values()
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert bucket["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_the_group_goes_before_what_it_needs() -> None:
    """CloudFormation deletes in the opposite order; an address that is in use cannot go."""
    (group,) = (each for each in RESOURCES.values() if each["Type"].endswith("AutoScalingGroup"))
    assert set(of("::EIP")) | {"InternetRoute", "Listener"} <= set(group["DependsOn"])


def test_the_machine_runs_what_the_document_installs() -> None:
    script = user_data()
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    (page,) = re.findall(r"<<'PAGE'\n(.*?)^PAGE$", script, re.S | re.M)
    ast.parse(page)
    (unit,) = re.findall(r"<<'UNIT'\n(.*?)^UNIT$", script, re.S | re.M)
    assert "python3 /srv/web/app.py" in unit
    bake = the_document().bake
    assert any("--directory /srv/web" in line for line in bake.install)
    assert bake.boot_minutes  # the script must not overtake user data
    for line in (*bake.install, *bake.verify):
        subprocess.run(["sh", "-n", "-c", line], check=True)


def test_user_data_leaves_a_release_alone() -> None:
    assert "if [ ! -e /srv/web/app.py ]" in user_data()
    assert len(user_data()) < 16 * 1024


def test_both_stacks_speak_of_the_same_things() -> None:
    """The outputs that docs/first-fleet.md hands over are parameters of Ovenbird's own stack."""
    for output, parameter in (
        ("ReleaseBucket", "ReleaseBucket"),
        ("InstanceRoleArn", "InstanceRoleArns"),
    ):
        assert parameter in TEMPLATE["Outputs"][output]["Description"]
        assert parameter in written()["Parameters"]


def user_data() -> str:
    (template,) = of("LaunchTemplate").values()
    script: str = template["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    return script


def test_a_json_document_stays_one_in_cloudformation() -> None:
    """``Fn::Sub`` takes only what it knows; the shell's variables must not look like that."""
    (parameter,) = of("SSM::Parameter").values()
    text = parameter["Value"]["Fn::Sub"]
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(RESOURCES) | set(TEMPLATE["Parameters"])
    assert "$OVENBIRD_ARTIFACT" in json.loads(text)["bake"]["install"][0]


def page() -> str:
    return (ROOT / "docs/first-fleet.md").read_text()


def test_the_walk_reads_only_outputs_that_there_are() -> None:
    stacks = {"web-fleet": TEMPLATE["Outputs"], "ovenbird": written()["Outputs"]}
    read = re.findall(r"output ([a-z-]+) ([A-Z]\w+)", page())
    assert {stack for stack, _ in read} == set(stacks)
    assert [(stack, name) for stack, name in read if name not in stacks[stack]] == []


def test_the_walk_sets_only_parameters_that_there_are() -> None:
    known = set(TEMPLATE["Parameters"]) | set(written()["Parameters"])
    commands = "".join(re.findall(r"^\s*\$ .*?[^\\]$", page(), re.M | re.S))
    set_there = re.findall(r"\b([A-Z][a-z]+(?:[A-Z][a-z]+)+)=(?!=)", commands)
    assert {"ReleaseBucket", "LaunchTemplateVersion"} <= set(set_there)
    assert set(set_there) - {"LaunchTemplateName"} <= known


def test_the_walk_packs_what_the_sample_application_has() -> None:
    packed = re.findall(r"tar -czf \S+ -C (\S+) (\S+) -C (\S+) (\S+)", page())
    assert packed
    for folder, program, release, description in packed:
        assert (ROOT / folder / program).is_file()
        assert (ROOT / folder / release / description).is_file()


def test_the_walk_invokes_functions_that_there_are() -> None:
    invoked = set(re.findall(r"sam remote invoke (\w+)", page()))
    assert invoked
    assert invoked <= set(written()["Resources"])


def test_the_walk_names_the_fleets_alarms() -> None:
    names = {value(alarm["AlarmName"]) for alarm in of("Alarm").values()}
    (command,) = re.findall(r"describe-alarms --alarm-names (.*?) \\", page())
    assert set(command.split()) == names


def test_the_costs_add_up() -> None:
    cells = [line.strip("|").split("|") for line in page().splitlines() if line.startswith("|")]
    *parts, (_, together) = [
        (arithmetic.strip(), cost.strip(" *")) for _, arithmetic, cost in cells[2:]
    ]
    assert len(parts) == 4
    for arithmetic, dollars in parts:
        factors, _, divisor = arithmetic.partition("/")
        product = 1.0
        for factor in factors.split("×"):
            product *= float(factor)
        assert round(product / float(divisor or 1), 4) == float(dollars)
    assert round(sum(float(dollars) for _, dollars in parts), 4) == float(together)
    assert f"That is ${float(together) * 730:.0f} a month" in page()


def test_the_walks_payloads_are_understood() -> None:
    asked = [
        re.sub(r"'\"\$\([^)]*\)\"'", "acme-releases", payload)
        for payload in re.findall(r"--event '(\{.*?\})'$", page(), re.M | re.S)
    ]
    plan, back = (events.release(json.loads(each), datetime.now(UTC), HOME) for each in asked)
    assert isinstance(plan, events.Push)
    assert (plan.fleet, plan.dry_run) == (NAME, True)
    assert isinstance(back, events.RollBackAsked)
    assert back.fleet == NAME


def test_what_the_walk_packs_is_unpacked_on_the_builder(tmp_path: Path) -> None:
    """The document's own command, with the folder moved; its flags are those of GNU tar."""
    (pack,) = set(re.findall(r"tar -czf web-1.tar.gz .*", page()))
    archive, place = tmp_path / "web-1.tar.gz", tmp_path / "srv"
    place.mkdir()
    subprocess.run(pack.replace("web-1.tar.gz", str(archive)), shell=True, cwd=ROOT, check=True)
    (unpack,) = (line for line in the_document().bake.install if line.startswith("tar "))
    unpack = unpack.replace("/srv/web", str(place))
    subprocess.run(["sh", "-c", unpack], env={"OVENBIRD_ARTIFACT": str(archive)}, check=True)
    assert sorted(path.name for path in place.iterdir()) == ["app.py", "release.json"]
