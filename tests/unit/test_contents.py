"""The identity of a content is what was hashed; a label is as new as its push."""

from __future__ import annotations

import pytest

from ovenbird.core import contents

COMMIT = "4f1c2d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d"


@pytest.mark.parametrize(
    "label", ["main", "latest", "v1.4.2", "4f1c2d7", COMMIT[:39], COMMIT.upper(), "sha256:4f", ""]
)
def test_a_label_is_as_new_as_its_push(label: str) -> None:
    one = contents.of_revision("monday", label)
    other = contents.of_revision("tuesday", label)
    assert one != other
    assert contents.said(one) == "the same push"


@pytest.mark.parametrize("revision", [COMMIT, "a" * 64, f"sha256:{'a' * 64}"])
def test_a_whole_hash_is_the_content_whenever_it_is_asked_for(revision: str) -> None:
    one = contents.of_revision("monday", revision)
    assert one == contents.of_revision("tuesday", revision)
    assert contents.said(one).startswith("the same content (")


def test_a_hash_says_nothing_of_an_artefact_that_comes_with_it() -> None:
    label = {"version": None, "etag": None, "sha256": None}
    one = contents.of_request("monday", COMMIT, "acme", "web.zip", **label)
    assert one != contents.of_request("tuesday", COMMIT, "acme", "web.zip", **label)


def test_two_claims_of_a_request_are_two_parts_of_its_identity() -> None:
    """Nothing is downloaded where an image is reused, so a false one would never be noticed."""

    def told(version: str | None, etag: str | None, sha256: str | None = None) -> str:
        return contents.of_request(
            "monday", "v2", "acme", "web.zip", version=version, etag=etag, sha256=sha256
        )

    good = contents.of_object("1", "acme", "web.zip", version="v1", etag="e")
    assert len({good, told("v1", "e"), told("v2", "e"), told("v1", "f"), told("v1", None)}) == 5
    assert told(None, "e") == good
    assert told("v1", "e", "ab") == told("v2", "f", "ab") == contents.of_sha256("ab")


def test_an_etag_is_the_same_wherever_the_object_lies() -> None:
    one = contents.of_object("1", "acme", "a.zip", version="v1", etag="e")
    assert one == contents.of_object("2", "acme", "b.zip", version="v2", etag="e")
    assert contents.said(one) == "the same content (ETag e)"


def test_a_version_is_one_object_for_ever() -> None:
    one = contents.of_object("1", "acme", "a.zip", version="v1", etag=None)
    assert one == contents.of_object("2", "acme", "a.zip", version="v1", etag=None)
    assert one != contents.of_object("2", "acme", "b.zip", version="v1", etag=None)
    assert contents.said(one) == "the same content (object version acme/a.zip@v1)"


def test_a_digest_of_a_container_is_a_sum_like_any_other() -> None:
    assert contents.of_sha256("sha256:ab") == contents.of_sha256("ab")


def test_what_is_told_of_a_long_one_is_short() -> None:
    told = contents.said(contents.of_version("acme", "k" * 1000, "v"))
    assert len(told) < 130
    assert told.endswith("…)")
