"""Foreign text stays text: whatever somebody writes into an event does not speak in our name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.cloud.imaginary import Ending
from sandbox.cloud.machines import CommandOutcome
from tests.stories.fleets import DOCUMENT, Fleet
from tests.stories.story import a_fleet
from tests.stories.world import BUCKET

LINK = "https://aws-signin.example/login"
ORDER = f"Action required: sign in at {LINK} or aws-signin.example/login"


def ask(web: Fleet, **release: Any) -> None:
    """A release by hand, as whoever may invoke accept_release writes it."""
    web.world.ask("accept_release", {"fleet": web.name, "release": {"revision": "v2"} | release})


def script_says(web: Fleet, stderr: str, code: int = 1) -> None:
    outcome = CommandOutcome(code, stderr=stderr)
    web.world.machines.ends = lambda _script: Ending(timedelta(seconds=8), outcome)


def no_link_and_every_word_marked(notice: str) -> bool:
    """A person sees at once that these are somebody else's words, and no program sees a link."""
    lines = [line for line in notice.splitlines() if "aws-signin" in line]
    return (
        "://" not in notice
        and "aws-signin.example" not in notice
        and bool(lines)
        and all(line.startswith("> ") for line in lines)
    )


@pytest.mark.parametrize(
    "release",
    [
        pytest.param({"description": ORDER}, id="a description"),
        pytest.param({"revision": ORDER}, id="a revision"),
        pytest.param({"revision": LINK}, id="a revision that is a link"),
        pytest.param({"description": f"fix\r\n\r\nWhat to do: {ORDER}"}, id="lines of our own"),
        pytest.param({"bucket": BUCKET, "key": f"web/{LINK}.tar.gz"}, id="a key"),
    ],
)
def test_a_senders_words_are_no_links_and_no_orders_in_our_notice(release: dict[str, Any]) -> None:
    with a_fleet() as web:
        script_says(web, "x")
        ask(web, **release)
        web.world.finish()
        (notice,) = web.world.notices
        assert "://" not in notice
        subject, *text = notice.splitlines()
        assert "aws-signin" not in subject
        told = [line for line in text if "aws-signin" in line]
        assert all(line.startswith("> ") for line in told)
        assert text.count("What to do: " + ORDER) == 0


def test_a_release_that_rolls_tells_them_no_other_way() -> None:
    with a_fleet() as web:
        ask(web, description=ORDER)
        web.world.finish()
        assert no_link_and_every_word_marked(web.world.notices[-1])


def test_the_reason_of_a_roll_back_is_marked() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.finish()
        web.roll_back(reason=ORDER)
        web.world.finish()
        assert no_link_and_every_word_marked(web.world.notices[-1])


def test_the_output_of_a_script_is_marked() -> None:
    """A package that is installed may print what it likes."""
    with a_fleet() as web:
        script_says(web, f"{ORDER}\nWhat to do: call +1 555 0100\n\novenbird: install failed with")
        web.world.upload("two")
        web.world.finish()
        notice = web.world.notices[-1]
        assert no_link_and_every_word_marked(notice)
        assert "> What to do: call +1 555 0100" in notice.splitlines()


def test_an_ordinary_message_is_easy_to_read() -> None:
    with a_fleet() as web:
        ask(web, revision="4f1c2d7", description="Mend the log-in page (#312), thanks to Ana!")
        web.world.finish()
        subject, *text = web.world.notices[-1].splitlines()
        assert subject == "Ovenbird: web runs 4f1c2d7"
        assert "What: release 4f1c2d7" in text
        assert "> Mend the log-in page (#312), thanks to Ana!" in text


# Secrets in what a script writes --------------------------------------------------------------


def everything_kept(web: Fleet) -> str:
    """The ledger, the notices, and what executions and functions ended with."""
    kept = [json.dumps(web.world.ledger()), *web.world.notices]
    kept += [f"{rollout.cause} {json.dumps(rollout.output)}" for rollout in web.world.rollouts]
    kept += [f"{each.answer} {each.message}" for each in web.world.lambdas.invocations]
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        pytest.param("+ export DB_PASSWORD=s3cr3t\nboom", "s3cr3t", id="set -x"),
        pytest.param("GET https://ci:s3cr3t@git.example/web", "s3cr3t", id="an address"),
        pytest.param("> Authorization: Bearer s3cr3t.s3cr3t", "s3cr3t", id="a header"),
        pytest.param("-----BEGIN PRIVATE KEY-----\ns3cr3t", "s3cr3t", id="a key"),
        pytest.param("using ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", id="credentials"),
        pytest.param("login as correct horse battery", "as correct", id="a marked value"),
    ],
)
def test_a_secret_that_a_script_writes_is_kept_nowhere(said: str, secret: str) -> None:
    with a_fleet() as web:
        bake = DOCUMENT["bake"] | {
            "environment": {"PHRASE": "correct horse battery"},
            "secrets": ["PHRASE"],
        }
        web.document(bake=bake, addresses={"count": 2})
        script_says(web, f"{said}\n\novenbird: install failed with exit code 1\n")
        web.world.upload("two")
        rollout = web.world.finish()
        assert "Install failed with exit code 1. Its last output:" in rollout.cause
        assert "***" in rollout.cause
        assert secret not in everything_kept(web)


def test_what_a_script_wrote_is_not_kept_for_ever() -> None:
    """Whatever is no secret to us may be one to its owner."""
    with a_fleet() as web:
        script_says(web, "the magic word is xyzzy\n\novenbird: install failed with exit code 1\n")
        web.world.upload("two")
        web.world.finish()
        kept = [item for item in web.world.ledger().values() if "xyzzy" in json.dumps(item)]
        assert kept
        for item in kept:
            until = datetime.fromtimestamp(int(item["expires"]["N"]), UTC)
            assert timedelta(days=399) < until - web.world.now() < timedelta(days=401)


def test_the_fleets_history_says_how_it_failed_and_not_what_was_written() -> None:
    with a_fleet() as web:
        script_says(web, "the magic word is xyzzy\n\novenbird: install failed with exit code 1\n")
        web.world.upload("two")
        web.world.finish()
        told = json.dumps(web.world.ledger()["fleet#web"])
        assert "Install failed with exit code 1" in told
        assert "xyzzy" not in told
