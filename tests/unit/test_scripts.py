"""The builder's script, run by a real shell with a false ``aws`` on its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import scripts
from ovenbird.core.scripts import Artifact

HOSTILE = 'a\'b "c" $(touch evil) `touch evil` ; touch evil # \\ é {{ssm:secret}} {{{{ *'


class Builder:
    """A directory in place of a machine."""

    def __init__(self, root: Path, shell: str) -> None:
        self.root = root
        self.temporary = root / "tmp"
        self.temporary.mkdir()
        programs = root / "bin"
        programs.mkdir()
        self.shell = programs / "sh"
        self.shell.symlink_to(shell)
        aws = programs / "aws"
        # It writes what it was asked, one word a line, where the artefact shall be.
        aws.write_text('#!/bin/sh\nfor last; do :; done\nprintf "%s\\n" "$@" >"$last"\n')
        aws.chmod(0o755)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "TMPDIR": str(self.temporary),
        }

    def run(
        self,
        *,
        artifact: Artifact | None = None,
        install: tuple[str, ...] = (),
        verify: tuple[str, ...] = (),
        revision: str = "v2",
        environment: dict[str, str] | None = None,
        timeout_seconds: int = 30,
    ) -> subprocess.CompletedProcess[str]:
        """As Run Command does it: the lines as one file, run by sh."""
        script = scripts.lines(
            artifact,
            revision=revision,
            fleet="web",
            environment=environment or {},
            install=install,
            verify=verify,
            timeout_seconds=timeout_seconds,
        )
        file = self.root / "script.sh"
        file.write_text("\n".join(script) + "\n")
        return subprocess.run(
            [str(self.shell), str(file)],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def read(self, name: str) -> str:
        return (self.root / name).read_text()


@pytest.fixture(params=["sh", "bash"])
def builder(tmp_path: Path, request: pytest.FixtureRequest) -> Builder:
    """What images have for ``sh`` differs: dash in Debian, bash in Amazon Linux."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"no {request.param} here")
    return Builder(tmp_path, shell)


def test_downloads_installs_and_verifies(builder: Builder) -> None:
    ended = builder.run(
        artifact=Artifact("acme", "web/app-2.whl", version_id="V1", etag="e"),
        install=('cp "$OVENBIRD_ARTIFACT" installed', 'basename "$OVENBIRD_ARTIFACT" >name'),
        verify=('echo "$OVENBIRD_FLEET $OVENBIRD_REVISION" | tee verified',),
    )
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert builder.read("installed").splitlines()[:8] == [
        *("s3api", "get-object", "--bucket", "acme", "--key", "web/app-2.whl"),
        *("--version-id", "V1"),
    ]
    assert builder.read("name") == "app-2.whl\n"
    assert builder.read("verified") == "web v2\n"
    assert ended.stdout.splitlines() == [
        "ovenbird: download begins",
        "ovenbird: install begins",
        "ovenbird: verify begins",
        "web v2",
    ]


def test_leaves_nothing_behind_to_be_baked_in(builder: Builder) -> None:
    builder.run(artifact=Artifact("acme", "app"), install=("true",))
    builder.run(artifact=Artifact("acme", "app"), install=("false",))
    assert list(builder.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("artifact", "words"),
    [
        pytest.param(Artifact("b", "k", etag='"e"'), ["--if-match", '"e"'], id="by content"),
        pytest.param(Artifact("b", "k"), [], id="by key"),
        pytest.param(Artifact("b", HOSTILE), [], id="hostile key"),
        pytest.param(Artifact("b", "dir/"), [], id="a key without a file name"),
        pytest.param(Artifact("b", "dir/.."), [], id="a key that climbs"),
        pytest.param(Artifact("b", "k" * 900), [], id="longer than a file name may be"),
    ],
)
def test_asks_for_exactly_that_object(
    builder: Builder, artifact: Artifact, words: list[str]
) -> None:
    ended = builder.run(artifact=artifact, install=('cat "$OVENBIRD_ARTIFACT" >installed',))
    assert ended.returncode == 0, ended.stderr
    asked = builder.read("installed").splitlines()
    assert asked[5 : 6 + len(words)] == [artifact.key, *words]
    assert not (builder.root / "evil").exists()


def test_values_are_never_read_as_shell(builder: Builder) -> None:
    ended = builder.run(
        revision=HOSTILE,
        environment={"GREETING": HOSTILE},
        install=('printf %s "$OVENBIRD_REVISION" >revision', 'printf %s "$GREETING" >greeting'),
    )
    assert ended.returncode == 0, ended.stderr
    assert builder.read("revision") == HOSTILE
    assert builder.read("greeting") == HOSTILE
    assert not (builder.root / "evil").exists()


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_no_value_shows_run_command_a_parameter_to_replace(value: str) -> None:
    assert "{{" not in scripts.quote(value)


@given(st.text("{}'$\"\\ ab", max_size=12))
def test_a_quoted_value_is_the_value(value: str) -> None:
    echoed = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {scripts.quote(value)}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert echoed.stdout == value


def test_a_release_without_an_artefact_downloads_nothing(builder: Builder) -> None:
    ended = builder.run(install=('test -z "$OVENBIRD_ARTIFACT"',))
    assert ended.returncode == 0
    assert "download" not in ended.stdout


@pytest.mark.parametrize(
    ("install", "verify", "words", "code"),
    [
        pytest.param(("exit 7",), (), "install failed with exit code 7", 7, id="exit"),
        pytest.param(
            ("false", "touch reached"), (), "install failed with exit code 1", 1, id="any line"
        ),
        pytest.param(("true",), ("false",), "verify failed with exit code 1", 1, id="verify"),
        pytest.param(
            ('echo "$NOT_SET"',), (), "install failed with exit code", None, id="unset variable"
        ),
        pytest.param(("if",), (), "install failed with exit code", None, id="syntax error"),
        pytest.param((")",), (), "install failed with exit code", None, id="stray bracket"),
        pytest.param(("kill -9 $$",), (), "install failed with exit code 137", 137, id="killed"),
    ],
)
def test_says_which_phase_failed(
    builder: Builder,
    install: tuple[str, ...],
    verify: tuple[str, ...],
    words: str,
    code: int | None,
) -> None:
    ended = builder.run(install=install, verify=verify)
    assert ended.returncode == code or (code is None and ended.returncode not in (0, None))
    assert (scripts.last_words(ended.stderr) or "").startswith(words)
    assert not (builder.root / "reached").exists()


def test_an_exit_in_install_does_not_skip_verify(builder: Builder) -> None:
    ended = builder.run(install=("cd /", "exit 0"), verify=("pwd >where",))
    assert ended.returncode == 0
    assert builder.read("where").strip() == str(builder.root)


def test_a_download_that_fails_is_reported(builder: Builder) -> None:
    (builder.root / "bin" / "aws").write_text("#!/bin/sh\necho 'Access Denied' >&2\nexit 254\n")
    ended = builder.run(artifact=Artifact("acme", "app"), install=("touch reached",))
    assert scripts.last_words(ended.stderr) == "download failed with exit code 254"
    assert scripts.tail(ended.stdout, ended.stderr) == "Access Denied"
    assert not (builder.root / "reached").exists()


def test_the_end_of_a_long_output_is_kept(builder: Builder) -> None:
    loud = "i=0; while [ $i -lt 5000 ]; do echo line $i; echo line $i >&2; i=$((i+1)); done"
    ended = builder.run(install=(loud, "echo 'disk full' >&2", "false"))
    # What Run Command returns of it.
    stdout, stderr = ended.stdout[:24_000], ended.stderr[:8_000]
    assert scripts.last_words(stderr) == "install failed with exit code 1"
    tail = scripts.tail(stdout, stderr)
    assert tail.endswith("line 4999\ndisk full")
    assert len(tail) <= 1002


def test_a_phase_that_hangs_is_ended_and_tells_what_it_did(builder: Builder) -> None:
    began = time.monotonic()
    ended = builder.run(install=("echo waiting for the lock", "sleep 9"), timeout_seconds=1)
    assert time.monotonic() - began < 7
    assert ended.returncode == 124
    assert scripts.last_words(ended.stderr) == "install did not end in time"
    assert scripts.tail(ended.stdout, ended.stderr) == "waiting for the lock"


def test_a_server_left_running_does_not_hold_the_script(builder: Builder) -> None:
    began = time.monotonic()
    assert builder.run(install=("sleep 5 &", "echo started")).returncode == 0
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("stdout", "stderr", "characters", "expected"),
    [
        pytest.param("", "", 99, "", id="nothing"),
        pytest.param("one\ntwo\n", "", 99, "one\ntwo", id="standard output if there is no other"),
        pytest.param("one", "two\n", 99, "two", id="standard error first"),
        pytest.param(
            "one", "\novenbird: verify failed with exit code 1\n", 99, "one", id="without our line"
        ),
        pytest.param(
            "one",
            "two\n\novenbird: verify failed with exit code 1\nfailed to run commands",
            99,
            "two",
            id="without the agent's line",
        ),
        pytest.param("aa\nbbbb\ncccc", "", 8, "…\ncccc", id="cut at a line"),
        pytest.param("a" * 20, "", 8, "…\n" + "a" * 8, id="one long line"),
    ],
)
def test_tail(stdout: str, stderr: str, characters: int, expected: str) -> None:
    assert scripts.tail(stdout, stderr, characters=characters) == expected
