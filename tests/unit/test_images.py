"""Which image a rollout uses: one that exists, or one that must be baked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import images
from ovenbird.core.images import Bake, Baked, Image, Known, Reuse

KEY = "0123456789abcdef"
NAME = f"ovenbird-web-{KEY}"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def image(
    image_id: str = "ami-1", state: str = "available", *, name: str = NAME, minutes: int = 0
) -> Image:
    return Image(image_id, name, state, created=NOON + timedelta(minutes=minutes))


def known(*images: Image, key: str = KEY, **bad: str) -> Known:
    """The ledger's memory of these; ``ami_1="…"`` says what was bad about one."""
    return {
        each.image_id: Baked(each.image_id, key, bad=bad.get(each.image_id.replace("-", "_"), ""))
        for each in images
    }


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param([], Bake(NAME, "No image has been baked from this content yet."), id="none"),
        pytest.param(
            [image()],
            Reuse("ami-1", f"ami-1 ({NAME}) was baked from this content."),
            id="available",
        ),
        pytest.param(
            [image(), image("ami-0", minutes=-5, name=f"{NAME}-2")],
            Reuse("ami-0", f"ami-0 ({NAME}-2) was baked from this content."),
            id="the oldest of two, always the same one",
        ),
        pytest.param(
            [image(state="pending")],
            Bake(NAME, f"ami-1 ({NAME}) is being made already."),
            id="another rollout left it pending",
        ),
        pytest.param(
            [image(state="pending"), image("ami-2", name=f"{NAME}-2")],
            Reuse("ami-2", f"ami-2 ({NAME}-2) was baked from this content."),
            id="available beats pending",
        ),
        pytest.param(
            [image(state="failed")],
            Bake(f"{NAME}-2", "ami-1 was baked from this content, but is failed."),
            id="a failed one keeps its name",
        ),
        pytest.param(
            [image(state="disabled")],
            Bake(f"{NAME}-2", "ami-1 was baked from this content, but is disabled."),
            id="disabled by hand",
        ),
    ],
)
def test_chooses(seen: list[Image], expected: Reuse | Bake) -> None:
    assert images.choose("web", KEY, seen, known(*seen), "this content") == expected


SECOND = f"{NAME}-2"


@pytest.mark.parametrize(
    ("seen", "bad", "expected"),
    [
        pytest.param(
            [image()],
            {"ami_1": "It did not become healthy."},
            Bake(
                SECOND,
                "ami-1 was baked from this content, but was marked bad: It did not become healthy.",
            ),
            id="a bad one is never used again",
        ),
        pytest.param(
            [image(), image("ami-2", "failed", name=SECOND, minutes=1)],
            {"ami_1": "x"},
            Bake(f"{NAME}-3", "ami-2 was baked from this content, but is failed."),
            id="third attempt",
        ),
        pytest.param(
            [image(), image("ami-2", "pending", name=SECOND)],
            {"ami_1": "x"},
            Bake(SECOND, f"ami-2 ({SECOND}) is being made already."),
            id="the second attempt is under way",
        ),
    ],
)
def test_what_the_ledger_calls_bad_is_not_used(
    seen: list[Image], bad: dict[str, str], expected: Reuse | Bake
) -> None:
    assert images.choose("web", KEY, seen, known(*seen, **bad), "this content") == expected


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param({}, id="only the name"),
        pytest.param({"ovenbird:fleet": "web", "ovenbird:bake-key": KEY}, id="our tags too"),
    ],
)
def test_what_the_ledger_does_not_know_is_passed_over(tags: dict[str, str]) -> None:
    strange = replace(image(), tags=tags)
    passed = Bake(
        SECOND,
        "No image has been baked from this content yet. Ovenbird has not made "
        f"ami-1 ({NAME}), so it is passed over.",
    )
    assert images.choose("web", KEY, [strange], {}, "this content") == passed
    assert (
        images.choose("web", KEY, [strange], known(strange, key="f" * 16), "this content") == passed
    )
    both = [strange, image("ami-2", name=SECOND)]
    assert images.choose("web", KEY, both, known(both[1]), "this content") == Reuse(
        "ami-2", f"ami-2 ({SECOND}) was baked from this content."
    )


def test_a_tag_bars_no_image() -> None:
    marked = replace(image(), tags={"ovenbird:bad": "says somebody"})
    assert isinstance(images.choose("web", KEY, [marked], known(marked), ""), Reuse)


STATES = st.sampled_from(["pending", "available", "failed", "disabled", "error", "deregistered"])
SEEN = st.lists(
    st.builds(
        image,
        st.from_regex(r"ami-[0-9]{3}", fullmatch=True),
        STATES,
        name=st.sampled_from([NAME, f"{NAME}-2", f"{NAME}-3"]),
    ),
    unique_by=(lambda image: image.name, lambda image: image.image_id),
)


@given(SEEN, st.data())
def test_a_reuse_can_be_launched_and_a_bake_never_meets_a_used_name(
    seen: list[Image], data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.sampled_from([each.image_id for each in seen] or ["ami-9"])))
    ledger = known(*seen, **{each.replace("-", "_"): "broken" for each in bad})
    choice = images.choose("web", KEY, seen, ledger, "this content")
    if isinstance(choice, Reuse):
        assert choice.image_id not in bad
        assert any(each.image_id == choice.image_id and each.is_available for each in seen)
    else:
        same_name = [each for each in seen if each.name == choice.name]
        assert all(each.is_being_made and each.image_id not in bad for each in same_name)


def key(
    base: str = "ami-1",
    digest: str = "d",
    install: tuple[str, ...] = ("a",),
    verify: tuple[str, ...] = ("b",),
    environment: dict[str, str] | None = None,
    clean: bool = True,
    user_data: str = "",
) -> str:
    return images.bake_key(
        base, digest, install, verify, environment or {}, clean=clean, user_data=user_data
    )


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(key(base="ami-2"), id="base"),
        pytest.param(key(digest="e"), id="content"),
        pytest.param(key(install=("a", "a")), id="install"),
        pytest.param(key(verify=()), id="verify"),
        pytest.param(key(install=(), verify=("a", "b")), id="a line moved to verify"),
        pytest.param(key(environment={"A": "1"}), id="environment"),
        pytest.param(key(user_data="0" * 16), id="what the builder does at its first boot"),
    ],
)
def test_every_ingredient_changes_the_key(other: str) -> None:
    assert other != key()


def test_the_key_is_stable_across_releases_of_ovenbird() -> None:
    # A change here makes every fleet bake again: that may be wanted, but not by accident.
    assert key(environment={"B": "2", "A": "1"}) == key(environment={"A": "1", "B": "2"})
    assert key() == "e797435bf03bde56"


def test_a_bake_starts_from_the_image_that_the_team_made() -> None:
    ours = Image("ami-2", "x", "available", {"ovenbird:base": "ami-666"})
    assert images.root_base(ours, {"ami-2": Baked("ami-2", KEY, "ami-1")}) == "ami-1"
    assert images.root_base(ours, {}) == "ami-2", "no tag says where a bake starts"
    assert images.root_base(Image("ami-1", "y", "available"), {}) == "ami-1"


def test_tags_fit_where_people_write_long_revisions() -> None:
    tags = images.tags(
        fleet="web",
        key=KEY,
        rollout="web-1",
        base="ami-1",
        revision="r" * 999,
        owners={"team": "web", "ovenbird:fleet": "not theirs to say"},
    )
    assert max(map(len, tags.values())) == 256
    assert (tags["team"], tags["ovenbird:fleet"], tags["ovenbird:bake-key"]) == ("web", "web", KEY)
    assert images.bad_tag("r" * 999) == {"ovenbird:bad": "r" * 256}
    assert images.bad_tag("") == {"ovenbird:bad": "marked by hand"}
