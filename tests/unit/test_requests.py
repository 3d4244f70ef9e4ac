"""What an event of our own, or a person, may bring to a fleet."""

from __future__ import annotations

import pytest

from ovenbird.core import requests
from ovenbird.core.sources import BuildSource, CommitSource, ReleaseSources, Requests, S3Source

HOME = ("eu-west-1", "111122223333")
S3 = ReleaseSources(s3=S3Source("acme", "web/*.tar.gz", ("*-dev*",)))
PLACE = ReleaseSources(codecommit=CommitSource("web", "main", artifact="s3://acme/{revision}.zip"))
SAID = ReleaseSources(events=Requests("s3://acme/ci/*", ("*-dev*",)))


def brought(
    wanted: ReleaseSources, place: str, revision: str = "1", *, by_hand: bool = False
) -> str | None:
    bucket, key = place.split("/", 1)
    return requests.not_brought(wanted, bucket, key, revision, by_hand=by_hand)


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        pytest.param(S3, "acme/web/1.tar.gz", id="as an object that is pushed"),
        pytest.param(PLACE, "acme/1.zip", id="where the document says that it lies"),
        pytest.param(SAID, "acme/ci/1.zip", id="as the document says of requests"),
    ],
)
def test_may_be_brought(wanted: ReleaseSources, place: str, by_hand: bool) -> None:
    assert brought(wanted, place, by_hand=by_hand) is None


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("wanted", "place", "like"),
    [
        pytest.param(
            S3,
            "attackers/web/1.tar.gz",
            "; it must be like s3://acme/web/*.tar.gz (release.s3), "
            "or release.events.artifact can name it",
            id="another bucket",
        ),
        pytest.param(
            S3,
            "acme/uploads/1.tar.gz",
            "; it must be like s3://acme/web/*.tar.gz (release.s3), "
            "or release.events.artifact can name it",
            id="another key",
        ),
        pytest.param(
            S3,
            "acme/web/1-dev.tar.gz",
            "; it must be like s3://acme/web/*.tar.gz (release.s3), "
            "or release.events.artifact can name it",
            id="what is left out",
        ),
        pytest.param(
            PLACE,
            "acme/2.zip",
            "; it must be like s3://acme/{revision}.zip (release.codecommit), "
            "or release.events.artifact can name it",
            id="another revision's place",
        ),
        pytest.param(
            SAID,
            "acme/web/1.tar.gz",
            "; it must be like s3://acme/ci/* (release.events.artifact)",
            id="not what is said of requests",
        ),
        pytest.param(
            SAID,
            "acme/ci/1-dev.zip",
            ': release.events.exclude leaves it out, by "*-dev*"',
            id="left out of requests",
        ),
        pytest.param(
            ReleaseSources(codebuild=BuildSource("web")),
            "acme/1.zip",
            "; release.events.artifact can name it",
            id="sources without a place",
        ),
        pytest.param(S3, "acme/web/2026.tar.gz/", ": it is a folder", id="a folder"),
    ],
)
def test_may_not_be_brought(wanted: ReleaseSources, place: str, like: str, by_hand: bool) -> None:
    told = f"s3://{place} is no artefact that a request may bring{like}"
    assert brought(wanted, place, by_hand=by_hand) == told


def test_where_the_document_names_no_source_only_people_bring_artefacts() -> None:
    assert brought(ReleaseSources(), "acme/1.zip", by_hand=True) is None
    assert brought(ReleaseSources(), "acme/1.zip") is not None


def test_events_may_be_off() -> None:
    wanted = ReleaseSources(events=None)
    assert requests.not_from(wanted, HOME, HOME) == "release.events is false"


@pytest.mark.parametrize("sender", [("eu-west-1", "999988887777"), ("us-east-1", HOME[1])])
def test_events_come_from_our_own_account_and_region(sender: tuple[str, str]) -> None:
    reason = requests.not_from(ReleaseSources(), sender, HOME)
    assert reason == (
        f"it was sent in account {sender[1]} and region {sender[0]}, and Ovenbird is in "
        "111122223333 and eu-west-1; release.events.accounts can name the account"
    )
    named = ReleaseSources(events=Requests(accounts=(sender[1],)))
    assert requests.not_from(named, sender, HOME) is None


def test_events_of_our_own_need_no_name() -> None:
    assert requests.not_from(ReleaseSources(), HOME, HOME) is None
