"""Which launch template versions are published for an image, and which are reused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import templates
from ovenbird.core.templates import Publish, Reuse, Version

ROOT = "/dev/xvda"


def version(number: int, image: str | None = "ami-1", **content: Any) -> Version:
    given = content | ({"ImageId": image} if image else {})
    return Version("lt-1", str(number), given)


def mapping(device: str, snapshot: str | None = None, **ebs: Any) -> dict[str, Any]:
    return {"DeviceName": device, "Ebs": ebs | ({"SnapshotId": snapshot} if snapshot else {})}


@pytest.mark.parametrize(
    ("existing", "number"),
    [
        pytest.param([], None, id="none of the image"),
        pytest.param([version(4, "ami-2", InstanceType="t4g.small")], "4", id="equal"),
        pytest.param(
            [
                version(10, "ami-2", InstanceType="t4g.small"),
                version(9, "ami-2", InstanceType="t4g.small"),
            ],
            "10",
            id="the newest of two, by number",
        ),
        pytest.param(
            [version(4, "ami-2", InstanceType="t4g.large")], None, id="something else too"
        ),
        pytest.param([version(4, "ami-2")], None, id="something missing"),
        pytest.param([version(4, "ami-1", InstanceType="t4g.small")], None, id="another image"),
    ],
)
def test_reuses_an_equal_version(existing: list[Version], number: str | None) -> None:
    source = version(3, InstanceType="t4g.small")
    decision = templates.decide(source, "ami-2", ROOT, existing)
    if number is None:
        assert decision == Publish(
            "3", {"ImageId": "ami-2"}, "Version 3 of lt-1 is published again with ami-2."
        )
    else:
        assert decision == Reuse(number, f"Version {number} of lt-1 says the same already.")


def test_an_ordinary_template_changes_its_image_only() -> None:
    source = {"ImageId": "ami-1", "BlockDeviceMappings": [mapping(ROOT, VolumeSize=20)]}
    assert templates.changes(source, "ami-2", ROOT) == {"ImageId": "ami-2"}


def test_the_old_disk_is_not_pinned_under_the_new_image() -> None:
    source = {
        "ImageId": "ami-1",
        "BlockDeviceMappings": [
            mapping(ROOT, "snap-old", VolumeSize=20),
            mapping("/dev/sdf", "snap-data"),
            {"DeviceName": "/dev/sdb", "NoDevice": ""},
        ],
    }
    before = copy.deepcopy(source)
    assert templates.changes(source, "ami-2", ROOT) == {
        "ImageId": "ami-2",
        "BlockDeviceMappings": [
            mapping(ROOT, VolumeSize=20),
            mapping("/dev/sdf", "snap-data"),
            {"DeviceName": "/dev/sdb", "NoDevice": ""},
        ],
    }
    assert source == before  # what was observed stays as it was


@pytest.mark.parametrize(
    "other",
    [
        {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
        {"DeviceName": "/dev/sdb", "NoDevice": ""},
        {"DeviceName": "/dev/sdb", "Ebs": None},
        {"DeviceName": "/dev/sdb"},
    ],
    ids=["instance store", "taken out", "null", "nothing"],
)
def test_a_device_without_a_volume_pins_nothing(other: dict[str, Any]) -> None:
    alone = {"ImageId": "ami-1", "BlockDeviceMappings": [other]}
    assert templates.changes(alone, "ami-2", ROOT) == {"ImageId": "ami-2"}
    beside = {"ImageId": "ami-1", "BlockDeviceMappings": [mapping("/dev/sdf", "snap-data"), other]}
    assert templates.changes(beside, "ami-2", ROOT)["BlockDeviceMappings"] == [
        mapping("/dev/sdf", "snap-data"),
        other,
    ]


def inherited(source: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What EC2 makes of a source version (EC2 API reference, CreateLaunchTemplateVersion)."""
    base = copy.deepcopy(source)
    for each in base.get("BlockDeviceMappings", []):
        each.get("Ebs", {}).pop("SnapshotId", None)
    return base | given


MAPPINGS = st.lists(
    st.builds(
        mapping,
        st.sampled_from([ROOT, "/dev/sdf", "/dev/sdg"]),
        st.none() | st.sampled_from(["snap-1", "snap-2"]),
        VolumeSize=st.integers(8, 9),
    ),
    unique_by=lambda each: each["DeviceName"],
)
CONTENT = st.fixed_dictionaries(
    {"ImageId": st.just("ami-1")},
    optional={
        "InstanceType": st.sampled_from(["t4g.small", "c7g.large"]),
        "BlockDeviceMappings": MAPPINGS,
    },
)


@given(CONTENT)
def test_what_was_published_once_is_found_again(content: dict[str, Any]) -> None:
    source = Version("lt-1", "3", content)
    first = templates.decide(source, "ami-2", ROOT, [])
    assert isinstance(first, Publish)
    made = Version("lt-1", "4", inherited(content, dict(first.changes)))
    assert isinstance(templates.decide(source, "ami-2", ROOT, [made]), Reuse)


@given(CONTENT)
def test_the_owners_data_stays_and_the_old_disk_goes(content: dict[str, Any]) -> None:
    made = inherited(content, templates.changes(content, "ami-2", ROOT))
    for old, new in zip(
        content.get("BlockDeviceMappings", []), made.get("BlockDeviceMappings", []), strict=True
    ):
        wanted = None if old["DeviceName"] == ROOT else old["Ebs"].get("SnapshotId")
        assert new["Ebs"].get("SnapshotId") == wanted


def test_every_template_of_the_group_is_led_over() -> None:
    assert templates.sources("lt-1", "3", {}) == {"lt-1": "3"}
    every = templates.sources("lt-1", "3", {"lt-2": "7", "lt-1": "3"})
    assert list(every.items()) == [("lt-1", "3"), ("lt-2", "7")]


@pytest.mark.parametrize(
    ("overrides", "running", "words"),
    [
        pytest.param({}, [version(3)], None, id="one template"),
        pytest.param({"lt-2": "7"}, [version(3), version(7)], None, id="two of one image"),
        pytest.param({"lt-1": "3"}, [version(3)], None, id="an override names the same"),
        pytest.param(
            {"lt-1": "2"}, [version(3)], "give both the same", id="two versions of a template"
        ),
        pytest.param(
            {}, [version(3, "resolve:ssm:/golden")], "by a parameter", id="image by parameter"
        ),
        pytest.param({}, [version(3, None)], "names no image", id="no image"),
        pytest.param(
            {"lt-2": "7"},
            [version(3), version(7, "ami-arm")],
            "runs ami-arm, and the group runs ami-1",
            id="another architecture",
        ),
    ],
)
def test_refuses_what_cannot_be_led_over(
    overrides: dict[str, str], running: list[Version], words: str | None
) -> None:
    refusal = templates.refusal("lt-1", "3", overrides, running, "ami-1")
    assert refusal is None if words is None else words in (refusal or "")


def test_a_description_fits() -> None:
    assert templates.description("web-1", "abc") == "Ovenbird rollout web-1: abc"
    assert len(templates.description("web-1", "r" * 999)) == 255
