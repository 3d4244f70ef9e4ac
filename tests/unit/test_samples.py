"""What each sample of a push means, field by field: that it can be read says little."""

from __future__ import annotations

from typing import Any

import pytest

from ovenbird import events
from ovenbird.errors import BadEvent
from ovenbird.events import RollBackAsked
from tests.unit.test_events import HOME, NOW, changed, pushed, sample

AT, ARRIVED = "2026-03-02T09:30:00+00:00", "2026-03-02T09:30:17+00:00"
BUCKET, KEY = "acme-releases", "web/4f1c2d7.tar.gz"
DIGEST = "sha256:" + "4c8e" * 16
COMMIT = "4f1c2d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d"
PIPELINE = "8e3b5f7a-2c14-4d69-a0b8-6c7d8e9f0a1b"
ETAG = "6d7c1f0b2a3e4d5c8b9a0f1e2d3c4b5a"


@pytest.mark.parametrize(
    ("name", "names", "place", "revision", "at", "description"),
    [
        (
            "accept-release.s3",
            {"bucket": BUCKET, "key": KEY},
            (BUCKET, KEY, "mG3zLq0yV8rTn1XwKp5cJd2sBf7hUe9a", ETAG),
            ETAG,
            AT,
            f"s3://{BUCKET}/{KEY}",
        ),
        (
            "accept-release.codebuild",
            {"project": "web"},
            (BUCKET, KEY, None, None),
            "4f1c2d7",
            AT,
            "build web:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b",
        ),
        (
            "accept-release.codecommit",
            {"repository": "web", "branch": "main"},
            (None, None, None, None),
            COMMIT,
            AT,
            "branch main of web",
        ),
        (
            "accept-release.codepipeline",
            {"pipeline": "web"},
            (None, None, None, None),
            PIPELINE,
            AT,
            "pipeline web",
        ),
        (
            "accept-release.ecr",
            {"repository": "web", "tag": "release"},
            (None, None, None, None),
            DIGEST,
            AT,
            "web:release",
        ),
        (
            "accept-release.requested",
            {},
            (BUCKET, KEY, None, None),
            "4f1c2d7",
            AT,
            "main is green",
        ),
        (
            "accept-release",
            {},
            (BUCKET, KEY, None, None),
            "4f1c2d7",
            ARRIVED,
            "asked for by hand",
        ),
    ],
)
def test_what_a_sample_asks_for(
    name: str,
    names: dict[str, str],
    place: tuple[str | None, ...],
    revision: str,
    at: str,
    description: str,
) -> None:
    push = pushed(sample(name))
    release = push.release
    assert names.items() <= dict(push.names).items()
    assert (release.bucket, release.key, release.version_id, release.etag) == place
    assert (release.revision, release.at, release.description) == (revision, at, description)
    assert push.fleet == ("web" if name in ("accept-release", "accept-release.requested") else None)


@pytest.mark.parametrize(
    ("artifact", "place"),
    [
        ("s3://bucket/key", ("bucket", "key", None)),
        ("s3://bucket/a/b/c.tar.gz", ("bucket", "a/b/c.tar.gz", None)),
        ({"bucket": "b", "key": "k"}, ("b", "k", None)),
        ({"bucket": "b", "key": "k", "version_id": "v"}, ("b", "k", "v")),
    ],
)
def test_a_request_says_where_its_artefact_lies(
    artifact: object, place: tuple[str | None, ...]
) -> None:
    event = changed("accept-release.requested", **{"detail/artifact": artifact})
    release = pushed(event).release
    assert (release.bucket, release.key, release.version_id) == place


@pytest.mark.parametrize(
    ("artifact", "sentence"),
    [
        ("s3://bucket", "detail.artifact is "),
        ("s3://bucket/", "detail.artifact is "),
        ("s3:///key", "detail.artifact is "),
        ("bucket/key", "detail.artifact is "),
        (7, "detail.artifact is 7"),
        (["s3://bucket/key"], "detail.artifact is "),
        ({"bucket": "b"}, "detail.artifact.key is null"),
        ({"key": "k"}, "detail.artifact.bucket is null"),
        ({"bucket": "b", "key": "k", "version_id": 7}, "detail.artifact.version_id is 7"),
    ],
)
def test_an_artefact_that_lies_nowhere_is_refused(artifact: object, sentence: str) -> None:
    event = changed("accept-release.requested", **{"detail/artifact": artifact})
    with pytest.raises(BadEvent, match=f"^{sentence}"):
        events.release(event, NOW, HOME)


class TestRollBack:
    def asked(self, **more: Any) -> RollBackAsked:
        asked = events.release({"action": "roll-back", "fleet": "web"} | more, NOW, HOME)
        assert isinstance(asked, RollBackAsked)
        return asked

    def test_to_the_image_before(self) -> None:
        asked = self.asked()
        assert (asked.fleet, asked.image, asked.reason) == ("web", None, "no reason given")
        assert asked.at == ARRIVED

    def test_to_an_image_that_is_named(self) -> None:
        image = "ami-0123456789abcdef0"
        named = self.asked(image=image, reason="5xx")
        assert (named.image, named.reason) == (image, "5xx")
        assert named.request != self.asked().request

    def test_a_field_that_is_misspelt_is_not_passed_over(self) -> None:
        """Else the fleet would go to the image before, and not to the one that was meant."""
        with pytest.raises(BadEvent, match=r"^imgae is not known here \(did you mean image\?\)"):
            self.asked(imgae="ami-0123456789abcdef0")

    @pytest.mark.parametrize("field", ["dry_run", "release"])
    def test_what_a_release_may_have_a_roll_back_may_not(self, field: str) -> None:
        with pytest.raises(BadEvent, match=f"^{field} is not known here.*; the payload may have: "):
            self.asked(**{field: True})

    @pytest.mark.parametrize("image", ["ami-0123456", "ami-0123456789abcdef01", "AMI-01234567"])
    def test_an_image_that_is_none_is_refused(self, image: str) -> None:
        with pytest.raises(BadEvent, match=r"^image is "):
            self.asked(image=image)
