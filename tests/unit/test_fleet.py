"""Fleet documents: what is read, and what is refused in one sentence."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from ovenbird import fleet
from ovenbird.core.sources import (
    BuildSource,
    CommitSource,
    ContainerSource,
    PipelineSource,
    ReleaseSources,
    S3Source,
)
from ovenbird.errors import BadFleet
from ovenbird.fleet import AddressSettings, BakeSettings, Fleet, RollSettings


def test_a_document_that_names_only_its_group_works() -> None:
    assert fleet.parse("web", '{"groups": ["web-asg"]}') == Fleet("web", "web-asg")


def test_defaults_in_code_are_those_of_the_schema() -> None:
    parts = fleet.document_schema()["properties"]
    for name, settings in (
        ("bake", BakeSettings()),
        ("roll", RollSettings()),
        ("addresses", AddressSettings()),
    ):
        written = {key: part.get("default") for key, part in parts[name]["properties"].items()}
        ours = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in dataclasses.asdict(settings).items()
        }
        assert ours == written


def test_a_whole_document() -> None:
    document = {
        "$schema": "https://example.com/fleet.schema.json",
        "groups": ["web"],
        "release": {
            "s3": {"bucket": "acme-releases", "key": "web/*.tar.gz", "exclude": ["*.sha256"]},
            "codepipeline": {"pipeline": "web"},
            "codecommit": {
                "repository": "web",
                "branch": "main",
                "artifact": "s3://acme-releases/web/{revision}.tar.gz",
            },
            "codebuild": {"project": "web"},
            "ecr": {"repository": "web", "tag": "release"},
            "events": False,
        },
        "bake": {
            "base": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
            "install": ['tar -xzf "$OVENBIRD_ARTIFACT" -C /srv/web'],
            "verify": ["curl -fsS localhost:8080/health"],
            "environment": {"STAGE": "production"},
            "timeout_minutes": 15.0,
        },
        "roll": {
            "min_healthy_percent": 90,
            "max_healthy_percent": 120,
            "warmup_seconds": 30,
            "checkpoints": [50, 100],
            "alarms": ["web-5xx"],
            "protected_instances": "Wait",
            "standby_instances": "Terminate",
            "pin": True,
        },
        "addresses": {"count": 2},
    }
    read = fleet.parse("web", json.dumps(document))
    assert read == Fleet(
        "web",
        "web",
        ReleaseSources(
            S3Source("acme-releases", "web/*.tar.gz", ("*.sha256",)),
            PipelineSource("web"),
            CommitSource("web", "main", artifact="s3://acme-releases/web/{revision}.tar.gz"),
            BuildSource("web"),
            ContainerSource("web", "release"),
            events=None,
        ),
        BakeSettings(
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
            ('tar -xzf "$OVENBIRD_ARTIFACT" -C /srv/web',),
            ("curl -fsS localhost:8080/health",),
            15,
            {"STAGE": "production"},
        ),
        RollSettings(
            90,
            120,
            30,
            (50, 100),
            alarms=("web-5xx",),
            protected_instances="Wait",
            standby_instances="Terminate",
            pin=True,
        ),
        AddressSettings(2),
    )
    assert isinstance(read.bake.timeout_minutes, int)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param([], "Fleet web: The document is []; it must be an object.", id="a list"),
        pytest.param({}, "Fleet web: groups is missing; it must be there.", id="no group"),
        pytest.param(
            {"groups": ["a", "b"]},
            'Fleet web: groups is ["a", "b"]; it must be a list of at most 1.',
            id="two groups",
        ),
        pytest.param(
            {"groups": ["a"], "scale": {}},
            "Fleet web: scale is not known here; the document may have: "
            "$schema, groups, release, bake, roll, tags, addresses.",
            id="unknown",
        ),
        pytest.param(
            {"groups": ["a"], "bake": {"base": "ubuntu"}},
            'Fleet web: bake.base is "ubuntu"; it must be a text that matches '
            "^(ami-[0-9a-f]{8,17}|/aws/service/[A-Za-z0-9_./-]+)$.",
            id="base",
        ),
        pytest.param(
            {"groups": ["a"], "roll": {"min_healthy_percent": 20, "max_healthy_percent": 150}},
            "Fleet web: roll.max_healthy_percent is 150; it must be at most 100 more than "
            "roll.min_healthy_percent, which is 20.",
            id="too far apart",
        ),
        pytest.param(
            {"groups": ["a"], "roll": {"checkpoints": [50]}},
            "Fleet web: roll.checkpoints is [50]; it must ascend and end with 100, "
            "or part of the group would stay on the old version.",
            id="checkpoints end early",
        ),
        pytest.param(
            {"groups": ["a"], "roll": {"checkpoints": [70, 50, 100]}},
            "Fleet web: roll.checkpoints is [70, 50, 100]; it must ascend and end with 100, "
            "or part of the group would stay on the old version.",
            id="checkpoints descend",
        ),
        pytest.param(
            {"groups": ["a"], "bake": {"environment": {"OVENBIRD_FLEET": "x"}}},
            "Fleet web: bake.environment.OVENBIRD_FLEET is set by Ovenbird; "
            "it must be a name that does not begin with OVENBIRD_.",
            id="reserved variable",
        ),
        pytest.param(
            {"groups": ["a"], "bake": {"environment": {"BASH_ENV": "/tmp/x"}}},
            "Fleet web: bake.environment.BASH_ENV steers the shell itself; it must be a name other"
            " than BASHOPTS, BASH_ENV, BASH_VERSINFO, ENV, EUID, IFS, PPID, SHELLOPTS, UID.",
            id="a variable of the shell",
        ),
        pytest.param(
            {"groups": ["a"], "bake": {"environment": {"A": "x"}, "secrets": ["A", "B"]}},
            'Fleet web: bake.secrets names "B", which is no variable; it must be a name of'
            " bake.environment.",
            id="a secret that is no variable",
        ),
        pytest.param(
            {"groups": ["a"], "release": {"owner": "acme"}},
            'Fleet web: release.owner is "acme"; it must be a text that matches ^[0-9]{12}$.',
            id="no account",
        ),
        pytest.param(
            {
                "groups": ["a"],
                "release": {"codebuild": {"project": "p", "artifact": "s3://bucket/{commit}"}},
            },
            'Fleet web: release.codebuild.artifact is "s3://bucket/{commit}"; '
            "{revision} must be the only part in braces.",
            id="braces",
        ),
    ],
)
def test_refuses(document: Any, sentence: str) -> None:
    with pytest.raises(BadFleet) as refused:
        fleet.parse("web", json.dumps(document))
    assert str(refused.value) == sentence


@pytest.mark.parametrize("name", ["", "Web", "web_1", "-web", "x" * 41, "web/paused", "web\n"])
def test_refuses_a_name(name: str) -> None:
    with pytest.raises(BadFleet, match="The fleet's name is"):
        fleet.parse(name, '{"groups": ["web"]}')


def test_refuses_what_is_not_json() -> None:
    with pytest.raises(BadFleet, match="Fleet web: the document is not JSON"):
        fleet.parse("web", "groups: [web]")
