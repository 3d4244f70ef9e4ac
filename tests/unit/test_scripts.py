"""The builder's script, run by real shells with a false ``aws`` on its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import scripts
from ovenbird.core.scripts import Artifact

HOSTILE = 'a\'b "c" $(touch evil) `touch evil` ; touch evil # \\ é {{ssm:secret}} {{{{ *'
AGENT = {"AWS_SSM_INSTANCE_ID": "i-0123456789abcdef0"}


class Builder:
    """A directory in place of a machine."""

    def __init__(self, root: Path, shell: list[str]) -> None:
        self.root = root
        self.temporary = root / "tmp"
        self.temporary.mkdir()
        self.programs = root / "bin"
        self.programs.mkdir()
        self.program("sh", f'exec {" ".join(shell)} "$@"')
        self.program("cloud-init", "exit 0")  # not the one of the machine that runs the tests
        # It writes what it was asked, one word a line, where the artefact shall be.
        self.program("aws", 'for last; do :; done\nprintf "%s\\n" "$@" >"$last"')
        self.environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "TMPDIR": str(self.temporary),
        }

    def program(self, name: str, text: str) -> None:
        """Put a program first on the machine's path."""
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def run(
        self,
        *,
        artifact: Artifact | None = None,
        install: tuple[str, ...] = (),
        verify: tuple[str, ...] = (),
        revision: str = "v2",
        environment: dict[str, str] | None = None,
        timeout_seconds: int = 30,
        agent: bool = False,
        **more: Any,
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
            **more,
        )
        file = self.root / "script.sh"
        file.write_text("\n".join(script) + "\n")
        return subprocess.run(
            [str(self.programs / "sh"), str(file)],
            cwd=self.root,
            env=self.environment | (AGENT if agent else {}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def read(self, name: str) -> str:
        return (self.root / name).read_text()


@pytest.fixture(params=["sh", "bash", "busybox sh"])
def builder(tmp_path: Path, request: pytest.FixtureRequest) -> Builder:
    """What images have for ``sh``: dash in Debian, bash in Amazon Linux, BusyBox in Alpine."""
    program, *arguments = request.param.split()
    shell = shutil.which(program)
    if shell is None:
        pytest.skip(f"no {program} here")
    return Builder(tmp_path, [shell, *arguments])


def test_boots_downloads_installs_verifies_and_cleans(builder: Builder) -> None:
    ended = builder.run(
        artifact=Artifact("acme", "web/app-2.whl", version_id="V1", etag="e", owner="123456789012"),
        install=('cp "$OVENBIRD_ARTIFACT" installed', 'basename "$OVENBIRD_ARTIFACT" >name'),
        verify=('echo "$OVENBIRD_FLEET $OVENBIRD_REVISION" | tee verified',),
    )
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert builder.read("installed").splitlines()[:-1] == [
        *("s3api", "get-object", "--bucket", "acme", "--key", "web/app-2.whl"),
        *("--version-id", "V1", "--if-match", "e", "--expected-bucket-owner", "123456789012"),
    ]
    assert builder.read("name") == "app-2.whl\n"
    assert builder.read("verified") == "web v2\n"
    assert [line for line in ended.stdout.splitlines() if line] == [
        "ovenbird: boot begins",
        "ovenbird: download begins",
        "ovenbird: install begins",
        "ovenbird: verify begins",
        "web v2",
        "ovenbird: clean begins",
        "no SSM agent runs this: nothing is removed",
    ]


def test_leaves_nothing_behind_to_be_baked_in(builder: Builder) -> None:
    before = sorted(builder.root.rglob("*"))
    artifact = Artifact("acme", "app", owner="123456789012")
    builder.run(artifact=artifact, install=("true",))
    builder.run(artifact=artifact, install=("false",))
    builder.run(artifact=artifact, install=("true",), agent=True)
    left = {each for each in builder.root.rglob("*") if each not in before}
    assert left - {builder.root / name for name in ("script.sh", "var", "var/lib")} == set()


@pytest.mark.parametrize(
    ("artifact", "words"),
    [
        pytest.param(Artifact("b", "k", etag='"e"'), ["--if-match", '"e"'], id="by content"),
        pytest.param(
            Artifact("b", "k", version_id="V", etag="e"),
            ["--version-id", "V", "--if-match", "e"],
            id="by version and content",
        ),
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
    assert asked[5 : 7 + len(words)] == [artifact.key, *words, "--expected-bucket-owner"]
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


@pytest.mark.parametrize("odd", ["a\u2028b", "a\x0cb", "a\nb", "a\x85b"])
def test_a_character_that_ends_a_line_elsewhere_is_no_end_of_a_line(
    builder: Builder, odd: str
) -> None:
    ended = builder.run(
        environment={"ODD": odd}, install=(f"[ \"$ODD\" = '{odd}' ]", 'printf %s "$ODD" >odd')
    )
    assert ended.returncode == 0, ended.stderr
    assert (builder.root / "odd").read_bytes() == odd.encode()


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


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(
            "exit 194",
            "install ended with 194, which asks the agent for a reboot; a bake does not reboot",
            id="reboot and run again",
        ),
        pytest.param(
            "sh -c 'exit 194'",
            "install ended with 194, which asks the agent for a reboot; a bake does not reboot",
            id="from a program of his",
        ),
        pytest.param(
            "kill -9 $$",
            "install failed with exit code 137: it was killed, perhaps for want of memory",
            id="as if the time was up",
        ),
        pytest.param(
            "exit 137",
            "install failed with exit code 137: it was killed, perhaps for want of memory",
            id="killed further down",
        ),
    ],
)
def test_a_code_with_a_meaning_for_the_agent_does_not_leave_the_script(
    builder: Builder, line: str, words: str
) -> None:
    """The agent reboots and runs it again after 194, and calls 137 a time-out of its own."""
    ended = builder.run(install=(line,))
    assert ended.returncode == 1
    assert scripts.last_words(ended.stderr) == words


def test_an_exit_in_install_does_not_skip_verify(builder: Builder) -> None:
    ended = builder.run(install=("cd /", "exit 0"), verify=("pwd >where",))
    assert ended.returncode == 0
    assert builder.read("where").strip() == str(builder.root)


def test_a_download_that_fails_is_reported(builder: Builder) -> None:
    builder.program("aws", "echo 'Could not connect' >&2\nexit 254")
    artifact = Artifact("acme", "app", owner="123456789012")
    ended = builder.run(artifact=artifact, install=("touch reached",))
    assert scripts.last_words(ended.stderr) == "download failed with exit code 254"
    assert scripts.tail(ended.stdout, ended.stderr) == "Could not connect"
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


# The artefact and our variables apart from the owner's names ----------------------------------


@pytest.mark.parametrize(
    "name", ["log", "late", "words", "artifact", "..", ".", "-rf", "-", "~", "a b", "$(touch evil)"]
)
def test_an_artefact_may_have_any_name(builder: Builder, name: str) -> None:
    builder.program("aws", 'for last; do :; done\nprintf ARTEFACT >"$last"')
    ended = builder.run(
        artifact=Artifact("acme", f"web/{name}"),
        install=(
            '[ "$(cat "$OVENBIRD_ARTIFACT")" = ARTEFACT ]',
            'cp "$OVENBIRD_ARTIFACT" installed',
            'cd "${OVENBIRD_ARTIFACT%/*}"',
            'cat "${OVENBIRD_ARTIFACT##*/}" >/dev/null',
        ),
        verify=("echo fine",),
    )
    assert ended.returncode == 0, ended.stderr
    assert builder.read("installed") == "ARTEFACT"
    assert not (builder.root / "evil").exists()


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(
            {f"OVENBIRD_{name}": "x" for name in ("ARTIFACT", "FLEET", "REVISION")}, id="ours"
        ),
        pytest.param({"dir": "x", "mark": "/", "root": "/", "phase": "x", "left": "0"}, id="inner"),
        pytest.param({"late": "x", "code": "7", "text": "exit 7", "deadline": "0"}, id="more"),
    ],
)
def test_no_variable_of_the_owner_takes_the_place_of_one_of_ours(
    builder: Builder, environment: dict[str, str]
) -> None:
    ended = builder.run(
        artifact=Artifact("acme", "web/app"),
        environment=environment,
        install=(
            'test -s "$OVENBIRD_ARTIFACT"',
            '[ "$OVENBIRD_FLEET $OVENBIRD_REVISION $#" = "web v2 0" ]',
            *(
                f'[ "${name}" = "{value}" ]'
                for name, value in environment.items()
                if name.islower()
            ),
        ),
        agent=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert "clean begins" in ended.stdout


def test_variables_that_lead_tools_lead_only_the_owners_phases(builder: Builder) -> None:
    """A directory of programs, a library, an endpoint: the download has none of them."""
    theirs = builder.root / "theirs"
    theirs.mkdir()
    for name in ("aws", "cat", "rm", "tail", "sleep"):
        (theirs / name).write_text(f"#!/bin/sh\necho {name} >>{builder.root}/evil\nexit 1\n")
        (theirs / name).chmod(0o755)
    builder.program("aws", 'for last; do :; done\nenv >"$last"')
    ended = builder.run(
        artifact=Artifact("acme", "web/app"),
        environment={
            "PATH": f"{theirs}:{builder.environment['PATH']}",
            "AWS_ENDPOINT_URL": "https://evil.example",
            "AWS_CONFIG_FILE": "/evil",
            "LD_PRELOAD": "",
            "HOME": "/evil",
            "TMPDIR": "/evil",
        },
        install=('/bin/cat "$OVENBIRD_ARTIFACT" >installed', '[ "$HOME" = /evil ]'),
    )
    assert ended.returncode == 0, ended.stderr
    assert "evil" not in builder.read("installed")
    assert not (builder.root / "evil").exists()


@pytest.mark.parametrize(
    "value", ["file:///etc/passwd", "fileb://x", "http://169.254.169.254/x", "HTTPS://x"]
)
@pytest.mark.parametrize("field", ["key", "version_id", "etag"])
def test_no_argument_is_one_that_the_aws_cli_would_read(
    builder: Builder, field: str, value: str
) -> None:
    """It would send a file of the builder to S3, or a request to wherever somebody likes."""
    builder.program("aws", "touch evil")
    names: dict[str, Any] = {"bucket": "acme", "key": "k", field: value}
    ended = builder.run(artifact=Artifact(**names))
    assert ended.returncode == 1
    assert f'the release\'s {field} is "{value}"' in (scripts.last_words(ended.stderr) or "")
    assert not (builder.root / "evil").exists()


@pytest.mark.parametrize("key", ["-rf", "--no-sign-request", "--endpoint-url=http://evil.example"])
def test_no_argument_is_one_that_the_aws_cli_would_obey(builder: Builder, key: str) -> None:
    ended = builder.run(
        artifact=Artifact("acme", key, version_id=key, etag=key, owner="123456789012"),
        install=('cp "$OVENBIRD_ARTIFACT" installed',),
    )
    assert ended.returncode == 0, ended.stderr
    assert builder.read("installed").splitlines()[4:7] == [
        f"--key={key}",
        f"--version-id={key}",
        f"--if-match={key}",
    ]


# What was downloaded is what the release names ------------------------------------------------

GOOD = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"size": 5}, id="size"),
        pytest.param({"sha256": GOOD}, id="sum"),
        pytest.param({"sha256": GOOD.upper(), "size": 5, "etag": "e"}, id="all"),
    ],
)
def test_an_artefact_that_is_what_the_release_names_is_installed(
    builder: Builder, told: dict[str, Any]
) -> None:
    builder.program("aws", 'for last; do :; done\nprintf hello >"$last"')
    ended = builder.run(artifact=Artifact("acme", "web/app", **told), install=("touch reached",))
    assert ended.returncode == 0, ended.stderr
    assert (builder.root / "reached").exists()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param(
            {"size": 6},
            "found another content: its size is 5, and the release says 6",
            id="size",
        ),
        pytest.param(
            {"sha256": "0" * 64},
            f"found another content: its SHA-256 sum is {GOOD}, and the release says {'0' * 64}",
            id="sum",
        ),
    ],
)
def test_an_artefact_that_differs_is_not_installed(
    builder: Builder, told: dict[str, Any], said: str
) -> None:
    builder.program("aws", 'for last; do :; done\nprintf hello >"$last"')
    ended = builder.run(artifact=Artifact("acme", "web/app", **told), install=("touch reached",))
    assert ended.returncode == 1
    assert scripts.last_words(ended.stderr) == f"download {said}"
    assert not (builder.root / "reached").exists()


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        pytest.param(
            "An error occurred (PreconditionFailed) when calling the GetObject operation: At least"
            " one of the pre-conditions you specified did not hold",
            254,
            'found another content: "web/app" in the bucket "acme" does not have the ETag "e" that'
            " the release names",
            id="another ETag",
        ),
        pytest.param(
            "An error occurred (NoSuchVersion) when calling the GetObject operation: x",
            254,
            'found no version "V" of "web/app" in the bucket "acme"',
            id="no such version",
        ),
        pytest.param(
            "An error occurred (NoSuchKey) when calling the GetObject operation: x",
            254,
            'found no "web/app" in the bucket "acme"',
            id="no such object",
        ),
        pytest.param(
            "An error occurred (NoSuchBucket) when calling the GetObject operation: x",
            254,
            'found no bucket "acme"',
            id="no such bucket",
        ),
        pytest.param(
            "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
            254,
            'was refused: the builder\'s role may not read "web/app" in the bucket "acme", or'
            " account 123456789012 does not own the bucket",
            id="somebody else's bucket",
        ),
        pytest.param(
            "Unknown options: --expected-bucket-owner, 123456789012",
            255,
            "needs a newer AWS CLI on the image: this one does not know --expected-bucket-owner,"
            " which is of September 2020",
            id="an old CLI",
        ),
        pytest.param(
            "sh: aws: not found", 127, "found no AWS CLI on the image", id="no CLI at all"
        ),
    ],
)
def test_a_download_says_what_differs(builder: Builder, answer: str, code: int, said: str) -> None:
    builder.program("aws", f"echo '{answer}' >&2\nexit {code}")
    artifact = Artifact("acme", "web/app", version_id="V", etag="e", owner="123456789012")
    ended = builder.run(artifact=artifact, install=("touch reached",))
    assert ended.returncode == code
    assert scripts.last_words(ended.stderr) == f"download {said}"
    assert scripts.tail(ended.stdout, ended.stderr) == answer
    assert not (builder.root / "reached").exists()


def test_the_sum_is_computed_with_what_there_is(builder: Builder) -> None:
    builder.program("aws", 'for last; do :; done\nprintf hello >"$last"')
    builder.program("openssl", f"cat >/dev/null\necho '{GOOD} *stdin'")
    for name in ("cat", "date", "kill", "mkdir", "mktemp", "pwd", "rm", "sleep", "tail", "env"):
        if found := shutil.which(name):
            (builder.programs / name).symlink_to(found)
    script = scripts.lines(
        Artifact("acme", "web/app", owner="123456789012", sha256=GOOD),
        revision="v2",
        fleet="web",
        environment={},
        install=[],
        verify=[],
        timeout_seconds=30,
    )
    only = "\n".join(script).replace(
        "PATH=${PATH-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin",
        f"PATH={builder.programs}",
    )
    ended = subprocess.run(
        [str(builder.programs / "sh"), "-c", only],
        cwd=builder.root,
        env=builder.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_whose_bucket_it_must_be_is_always_said(builder: Builder) -> None:
    """Nobody's account was named: then it is the builder's own."""
    builder.program(
        "aws",
        'if [ "$1" = sts ]; then echo 210987654321; exit; fi\n'
        'for last; do :; done\nprintf "%s\\n" "$@" >"$last"',
    )
    ended = builder.run(
        artifact=Artifact("acme", "web/app"), install=('cp "$OVENBIRD_ARTIFACT" installed',)
    )
    assert ended.returncode == 0, ended.stderr
    assert builder.read("installed").splitlines()[-3:-1] == [
        "--expected-bucket-owner",
        "210987654321",
    ]


# The end of the first boot --------------------------------------------------------------------


def test_waits_for_the_end_of_the_first_boot_before_any_other_phase(builder: Builder) -> None:
    builder.program("cloud-init", 'sleep 1\necho "$@" >>order')
    ended = builder.run(artifact=Artifact("acme", "a"), install=("echo install >>order",))
    assert ended.returncode == 0, ended.stderr
    assert builder.read("order").splitlines() == ["status --wait", "install"]


def test_a_first_boot_with_recoverable_errors_has_ended(builder: Builder) -> None:
    """cloud-init says 2 for that since version 23.4; what it was to do is done."""
    builder.program("cloud-init", "echo 'status: done'\nexit 2")
    assert builder.run(install=("touch reached",)).returncode == 0
    assert (builder.root / "reached").exists()


def test_a_first_boot_that_failed_is_told(builder: Builder) -> None:
    builder.program("cloud-init", 'echo "status: error"\nexit 1')
    ended = builder.run(install=("touch reached",))
    assert scripts.last_words(ended.stderr) == (
        "boot ended with an error of cloud-init (exit code 1); see /var/log/cloud-init.log"
    )
    assert "status: error" in scripts.tail(ended.stdout, ended.stderr)
    assert not (builder.root / "reached").exists()


def test_a_first_boot_that_does_not_end_is_given_up(builder: Builder) -> None:
    builder.program("cloud-init", "echo ....\nexec sleep 20")
    began = time.monotonic()
    ended = builder.run(install=("touch reached",), boot_seconds=1)
    assert time.monotonic() - began < 7
    assert ended.returncode == 124
    assert scripts.last_words(ended.stderr) == (
        "boot did not end within 0 minutes; see /var/log/cloud-init.log"
    )
    assert not (builder.root / "reached").exists()


def test_the_time_of_the_first_boot_is_none_of_the_owners(builder: Builder) -> None:
    builder.program("cloud-init", "sleep 3")
    ended = builder.run(install=("sleep 1",), timeout_seconds=3)
    assert ended.returncode == 0, ended.stderr


def test_an_image_without_cloud_init_is_not_waited_for(builder: Builder) -> None:
    (builder.programs / "cloud-init").unlink()
    if shutil.which("cloud-init"):
        pytest.skip("there is one here")
    ended = builder.run(install=("true",))
    assert ended.returncode == 0
    assert ended.stdout.startswith("ovenbird: boot begins\novenbird: install begins\n")


def test_a_fleet_may_do_without_the_wait(builder: Builder) -> None:
    builder.program("cloud-init", "exit 1")
    ended = builder.run(install=("true",), boot_seconds=0)
    assert ended.returncode == 0
    assert "boot" not in ended.stdout


# A machine that is restarted meanwhile --------------------------------------------------------


@pytest.mark.parametrize(
    ("boot", "how"),
    [
        pytest.param(
            "another boot",
            "was cut off: the machine was restarted meanwhile, and a bake does not reboot",
            id="the machine",
        ),
        pytest.param(
            None, "was cut off or runs still: the script was begun a second time", id="the agent"
        ),
    ],
)
def test_a_script_that_the_agent_runs_again_says_why(
    builder: Builder, boot: str | None, how: str
) -> None:
    """An agent that comes back may run again what it had not seen end."""
    ended = builder.run(install=("kill -9 $PPID", "sleep 2"), agent=True)
    assert ended.returncode == -9
    mark = builder.root / "var/lib/ovenbird"
    if boot is not None:
        (mark / "boot").write_text(boot)
    ended = builder.run(install=("touch reached",), agent=True)
    assert ended.returncode == 1
    assert scripts.last_words(ended.stderr) == f"install {how}"
    assert not (builder.root / "reached").exists()


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


@pytest.mark.parametrize(
    "stderr",
    ["ovenbird: pay failed with exit code 1", "ovenbird: install begins", "install failed"],
)
def test_only_a_phase_of_ours_has_last_words(stderr: str) -> None:
    assert (scripts.last_words(stderr) or "begins").endswith("begins")
