"""Which image a rollout uses: one that exists, or one that must be baked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import images
from ovenbird.core.images import BAD, BAKE_KEY, BASE, FLEET, Bake, Image, Reuse

KEY = "0123456789abcdef"
NAME = f"ovenbird-web-{KEY}"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def image(
    image_id: str = "ami-1",
    state: str = "available",
    *,
    name: str = NAME,
    bad: str | None = None,
    key: str = KEY,
    fleet: str = "web",
    minutes: int = 0,
) -> Image:
    tags = {FLEET: fleet, BAKE_KEY: key} | ({BAD: bad} if bad is not None else {})
    return Image(image_id, name, state, tags, created=NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param([], Bake(NAME, "No image has been baked from this content yet."), id="none"),
        pytest.param(
            [image()],
            Reuse("ami-1", f"ami-1 ({NAME}) was baked from the same content."),
            id="available",
        ),
        pytest.param(
            [image(), image("ami-0", minutes=-5, name=f"{NAME}-2")],
            Reuse("ami-0", f"ami-0 ({NAME}-2) was baked from the same content."),
            id="the oldest of two, always the same one",
        ),
        pytest.param(
            [image(state="pending")],
            Bake(NAME, f"ami-1 ({NAME}) is being made already."),
            id="another rollout left it pending",
        ),
        pytest.param(
            [image(state="pending"), image("ami-2", name=f"{NAME}-2")],
            Reuse("ami-2", f"ami-2 ({NAME}-2) was baked from the same content."),
            id="available beats pending",
        ),
        pytest.param(
            [image(state="failed")],
            Bake(f"{NAME}-2", "ami-1 was baked from this content, but is failed."),
            id="a failed one keeps its name",
        ),
        pytest.param(
            [image(bad="It did not become healthy.")],
            Bake(
                f"{NAME}-2",
                "ami-1 was baked from this content, but was marked bad: It did not become healthy.",
            ),
            id="a bad one is never used again",
        ),
        pytest.param(
            [image(bad="x"), image("ami-2", "failed", name=f"{NAME}-2", minutes=1)],
            Bake(f"{NAME}-3", "ami-2 was baked from this content, but is failed."),
            id="third attempt",
        ),
        pytest.param(
            [image(bad="x"), image("ami-2", "pending", name=f"{NAME}-2")],
            Bake(f"{NAME}-2", f"ami-2 ({NAME}-2) is being made already."),
            id="the second attempt is under way",
        ),
        pytest.param(
            [image(fleet="api"), image("ami-2", key="f" * 16)],
            Bake(f"{NAME}-2", "No image has been baked from this content yet."),
            id="another fleet's image with our name",
        ),
        pytest.param(
            [image(state="disabled")],
            Bake(f"{NAME}-2", "ami-1 was baked from this content, but is disabled."),
            id="disabled by hand",
        ),
    ],
)
def test_chooses(seen: list[Image], expected: Reuse | Bake) -> None:
    assert images.choose("web", KEY, seen) == expected


STATES = st.sampled_from(["pending", "available", "failed", "disabled", "error", "deregistered"])
SEEN = st.lists(
    st.builds(
        image,
        st.from_regex(r"ami-[0-9]{3}", fullmatch=True),
        STATES,
        name=st.sampled_from([NAME, f"{NAME}-2", f"{NAME}-3"]),
        bad=st.sampled_from([None, "", "broken"]),
    ),
    unique_by=lambda image: image.name,
)


@given(SEEN)
def test_a_reuse_can_be_launched_and_a_bake_never_meets_a_used_name(seen: list[Image]) -> None:
    choice = images.choose("web", KEY, seen)
    if isinstance(choice, Reuse):
        assert any(
            image.image_id == choice.image_id and image.is_available and image.bad is None
            for image in seen
        )
    else:
        same_name = [image for image in seen if image.name == choice.name]
        assert all(image.is_being_made and image.bad is None for image in same_name)


def key(
    base: str = "ami-1",
    digest: str = "d",
    install: tuple[str, ...] = ("a",),
    verify: tuple[str, ...] = ("b",),
    environment: dict[str, str] | None = None,
) -> str:
    return images.bake_key(base, digest, install, verify, environment or {})


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(key(base="ami-2"), id="base"),
        pytest.param(key(digest="e"), id="content"),
        pytest.param(key(install=("a", "a")), id="install"),
        pytest.param(key(verify=()), id="verify"),
        pytest.param(key(install=(), verify=("a", "b")), id="a line moved to verify"),
        pytest.param(key(environment={"A": "1"}), id="environment"),
    ],
)
def test_every_ingredient_changes_the_key(other: str) -> None:
    assert other != key()


def test_the_key_is_stable_across_releases_of_ovenbird() -> None:
    # A change here makes every fleet bake again: that may be wanted, but not by accident.
    assert key(environment={"B": "2", "A": "1"}) == key(environment={"A": "1", "B": "2"})
    assert key() == "e797435bf03bde56"


def test_a_bake_starts_from_the_image_that_the_team_made() -> None:
    ours = Image("ami-2", "x", "available", {BASE: "ami-1"})
    assert images.root_base(ours) == "ami-1"
    assert images.root_base(Image("ami-1", "y", "available")) == "ami-1"


def test_tags_fit_where_people_write_long_revisions() -> None:
    tags = images.tags(fleet="web", key=KEY, rollout="web-1", base="ami-1", revision="r" * 999)
    assert max(map(len, tags.values())) == 256
    assert Image("ami-1", NAME, "available", tags).is_of("web", KEY)
    assert Image("ami-1", NAME, "available", images.bad_tag("r" * 999)).bad == "r" * 256
    assert Image("ami-1", NAME, "available", images.bad_tag("")).bad == "marked by hand"
