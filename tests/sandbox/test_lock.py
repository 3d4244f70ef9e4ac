"""Who reaches the endpoint of a sandbox that runs, and gets nothing without its credentials.

Most are a web page that is open while the sandbox runs, or another user of the machine.
"""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import struct
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.__main__ import introduction
from sandbox.keys import Key
from sandbox.lock import WANTED
from sandbox.machines import search_path
from sandbox.sandbox import REGION, Sandbox, client, tools

BUCKET, RELEASE = "web-releases", "web/evil.tar.gz"
PAGE = {"Origin": "https://evil.example"}
OF_THE_USER = {
    "SSH_AUTH_SOCK": "/run/user/1000/agent",
    "GITHUB_TOKEN": "of the user",
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "of the user",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with mock.patch.dict("os.environ", OF_THE_USER), Sandbox(speed=60, port=0) as running:
        yield running


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def speak(sandbox: Sandbox, text: bytes) -> list[Answer]:
    """Everything that is answered to these bytes on one connection."""
    with socket.create_connection((sandbox.place.host, sandbox.place.port), timeout=20) as talk:
        talk.sendall(text)
        told = b""
        while piece := talk.recv(65536):
            told += piece
    answers = []
    while told:
        head, _, told = told.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}
        size = int(headers.get("content-length", len(told)))
        answers.append(Answer(int(first.split()[1]), headers, told[:size]))
        told = told[size:]
    return answers


def message(
    sandbox: Sandbox, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> bytes:
    named = {
        "Host": f"127.0.0.1:{sandbox.place.port}",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def ask(
    sandbox: Sandbox, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> Answer:
    (answer,) = speak(sandbox, message(sandbox, method, path, headers, body))
    return answer


def signed(
    sandbox: Sandbox,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    key: Key | None = None,
    service: str = "s3",
    host: str = "",
) -> dict[str, str]:
    """The headers of a request that a holder of the key signs."""
    key = key or sandbox.keys.people
    host = host or f"127.0.0.1:{sandbox.place.port}"
    made = AWSRequest(method, f"http://{host}{path}", headers={"Host": host}, data=body)
    auth: Any = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials(key.id, key.secret), service, REGION).add_auth(made)
    return {name: str(value) for name, value in made.headers.items()}


def presigned(sandbox: Sandbox, operation: str, **params: str) -> str:
    """A link of version 4; boto3's own default for S3 is still the version before."""
    key = sandbox.keys.people
    s3 = boto3.client(
        "s3",
        endpoint_url=sandbox.endpoint,
        region_name=REGION,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        config=Config(signature_version="s3v4"),
    )
    return str(s3.generate_presigned_url(operation, Params=params))


def nothing_came(sandbox: Sandbox) -> bool:
    listed = sandbox.client("s3").list_objects_v2(Bucket=BUCKET)
    return RELEASE not in [each["Key"] for each in listed.get("Contents", [])]


def is_refused(answer: Answer, code: str = "") -> bool:
    cors = [name for name in answer.headers if name.startswith("access-control-")]
    said = WANTED.encode() in answer.body.replace(b"\\u2026", "…".encode())
    return answer.status == 403 and not cors and said and code.encode() in answer.body


# A web page ---------------------------------------------------------------------------------------


def test_a_page_may_not_ask_whether_it_may(sandbox: Sandbox) -> None:
    preflight = {**PAGE, "Access-Control-Request-Method": "PUT"}
    assert is_refused(ask(sandbox, "OPTIONS", f"/{BUCKET}/{RELEASE}", preflight))
    assert is_refused(ask(sandbox, "OPTIONS", f"/{BUCKET}/{RELEASE}", {}))


def test_a_page_may_not_upload_a_release(sandbox: Sandbox) -> None:
    for headers in (PAGE, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        assert is_refused(ask(sandbox, "PUT", f"/{BUCKET}/{RELEASE}", headers, b"artefact"))
    assert nothing_came(sandbox)


def test_a_page_may_not_use_a_form(sandbox: Sandbox) -> None:
    """Which a browser sends without asking."""
    form = {**PAGE, "Content-Type": "application/x-www-form-urlencoded"}
    body = b"Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1"
    assert is_refused(ask(sandbox, "POST", "/", form, body))
    upload = {"Content-Type": "multipart/form-data; boundary=x"}
    body = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nweb/evil.tar.gz\r\n--x--\r\n'
    assert is_refused(ask(sandbox, "POST", f"/{BUCKET}", upload, body))
    assert nothing_came(sandbox)


@pytest.mark.parametrize("extra", [PAGE, {"Sec-Fetch-Site": "same-site"}])
def test_not_even_a_good_signature_lets_a_page_in(sandbox: Sandbox, extra: dict[str, str]) -> None:
    """Such as a presigned link that somebody pasted into it."""
    path = f"/{BUCKET}/{RELEASE}"
    headers = signed(sandbox, "PUT", path, b"artefact")
    assert is_refused(ask(sandbox, "PUT", path, {**headers, **extra}, b"artefact"))
    path = presigned(sandbox, "list_buckets").partition(str(sandbox.place.port))[2]
    assert is_refused(ask(sandbox, "GET", path, extra))
    assert ask(sandbox, "GET", path, {"Sec-Fetch-Site": "none"}).status == 200  # typed by a person


def test_a_name_that_leads_here_is_not_ours(sandbox: Sandbox) -> None:
    """DNS rebinding: the page's own name resolves to 127.0.0.1 by now."""
    port = sandbox.place.port
    for host in (
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        f"{BUCKET}.localhost:{port}",
        "127.0.0.1:1",
        "127.0.0.1",
        f"[::1]:{port}",
        f"0.0.0.0:{port}",
        "",
    ):
        headers = signed(sandbox, "GET", "/", host=host or "nobody")
        assert is_refused(ask(sandbox, "GET", "/", {**headers, "Host": host}))
    headers = signed(sandbox, "GET", "/", host=f"localhost:{port}")
    assert ask(sandbox, "GET", "/", headers).status == 200


def test_a_page_may_not_open_a_web_socket(sandbox: Sandbox) -> None:
    upgrade = {
        **PAGE,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for path in ("/", "/_aws/execute-api/12345678/prod"):
        assert ask(sandbox, "GET", path, upgrade).status == 403


def test_no_answer_lets_a_page_read_it(sandbox: Sandbox) -> None:
    for path, service in (("/", "s3"), ("/?Action=DescribeVpcs&Version=2016-11-15", "ec2")):
        answer = ask(sandbox, "GET", path, signed(sandbox, "GET", path, service=service))
        assert answer.status == 200
        assert not [name for name in answer.headers if name.startswith("access-control-")]


# Without the credentials --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/health",
        "/_ministack/health",
        "/_localstack/health",
        "/_ministack/ses/messages",
        "/_ministack/lambda-code/PlanRollout",
        f"/{BUCKET}?list-type=2",
        "/_aws/lambda-url/0123456789abcdef0123456789abcdef/",
        "/latest/meta-data/iam/security-credentials/",
    ],
)
def test_whoever_has_no_credentials_learns_nothing(sandbox: Sandbox, path: str) -> None:
    assert is_refused(ask(sandbox, "GET", path, {}), "MissingAuthenticationToken")


def test_nobody_resets_or_configures_it(sandbox: Sandbox) -> None:
    for path in ("/_ministack/reset", "/_ministack/config", "/_localstack/state/reset"):
        assert is_refused(ask(sandbox, "POST", path, {}, b"{}"))
    assert sandbox.client("s3").list_buckets()["Buckets"]


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("ec2", lambda c: c.describe_instances()),
        ("autoscaling", lambda c: c.describe_auto_scaling_groups()),
        ("cloudformation", lambda c: c.list_stacks()),
        ("states", lambda c: c.list_state_machines()),
        ("lambda", lambda c: c.list_functions()),
        ("s3", lambda c: c.list_buckets()),
        ("dynamodb", lambda c: c.list_tables()),
        ("events", lambda c: c.put_events(Entries=[{"Source": "ovenbird", "Detail": "{}"}])),
    ],
)
def test_other_credentials_are_refused_in_the_words_of_the_service(
    sandbox: Sandbox, service: str, call: Any
) -> None:
    name = {"states": "stepfunctions"}.get(service, service)
    wrong = Key(sandbox.keys.people.id, "another")
    for key, code in (
        (Key("sandbox", "sandbox"), "InvalidClientTokenId"),
        (Key("000000000000", "sandbox"), "InvalidClientTokenId"),
        (wrong, "SignatureDoesNotMatch"),
    ):
        with pytest.raises(ClientError) as refusal:
            call(client(name, sandbox.endpoint, key))
        answer = refusal.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert answer["Error"]["Code"] == code
        assert answer["Error"]["Message"].startswith(WANTED)


def test_the_credentials_are_new_with_every_start(sandbox: Sandbox) -> None:
    keys = [Sandbox(port=0).keys for _ in range(3)] + [sandbox.keys]
    every = [key for each in keys for key in (each.people, each.functions, each.instances)]
    assert len({key.id for key in every}) == len({key.secret for key in every}) == len(every)
    assert all(len(key.secret) == 40 for key in every)
    assert not any(key.secret in repr(each) for each in keys for key in every)


# Around the check ---------------------------------------------------------------------------------


def test_a_second_request_on_the_connection_is_checked_too(sandbox: Sandbox) -> None:
    stays = {"Connection": "keep-alive"}
    first = message(sandbox, "GET", "/", {**signed(sandbox, "GET", "/"), **stays})
    second = message(sandbox, "PUT", f"/{BUCKET}/{RELEASE}", {}, b"artefact")
    answers = speak(sandbox, first + second)
    assert [answer.status for answer in answers] == [200, 403]
    assert nothing_came(sandbox)


def test_a_body_that_hides_a_request_is_a_body(sandbox: Sandbox) -> None:
    hidden = message(sandbox, "PUT", f"/{BUCKET}/{RELEASE}", {}, b"artefact")
    headers = {**signed(sandbox, "GET", "/"), "Transfer-Encoding": "chunked"}
    answers = speak(sandbox, message(sandbox, "GET", "/", headers, b"0\r\n\r\n" + hidden))
    assert 200 not in [answer.status for answer in answers[1:]]
    assert nothing_came(sandbox)


def test_an_address_in_the_request_line_is_refused(sandbox: Sandbox) -> None:
    for target in (f"http://evil.example/{BUCKET}", f"http://127.0.0.1:{sandbox.place.port}/"):
        assert ask(sandbox, "GET", target, signed(sandbox, "GET", "/")).status in (400, 403)


@pytest.mark.parametrize("name", ["Host", "Authorization", "X-Amz-Date"])
def test_what_comes_twice_is_refused(sandbox: Sandbox, name: str) -> None:
    headers = signed(sandbox, "GET", "/")
    twice = message(sandbox, "GET", "/", headers).replace(
        b"\r\n\r\n", f"\r\n{name}: {headers[name]}\r\n\r\n".encode()
    )
    assert speak(sandbox, twice)[0].status in (400, 403)


def test_a_header_that_says_what_is_called_has_to_be_signed(sandbox: Sandbox) -> None:
    headers = signed(sandbox, "POST", "/", b"{}", service="states")
    target = {"X-Amz-Target": "AWSStepFunctions.ListStateMachines"}
    assert is_refused(ask(sandbox, "POST", "/", {**headers, **target}, b"{}"))


def test_another_method_needs_another_signature(sandbox: Sandbox) -> None:
    path = f"/{BUCKET}/{RELEASE}"
    headers = signed(sandbox, "GET", path, b"artefact")
    assert is_refused(ask(sandbox, "PUT", path, headers, b"artefact"), "SignatureDoesNotMatch")
    override = {**headers, "X-HTTP-Method-Override": "PUT"}
    ask(sandbox, "GET", path, override, b"artefact")
    assert nothing_came(sandbox)


def test_a_huge_body_is_not_read(sandbox: Sandbox) -> None:
    with socket.create_connection((sandbox.place.host, sandbox.place.port), timeout=20) as talk:
        huge = {"Content-Length": str(10 << 30)}
        talk.sendall(message(sandbox, "PUT", f"/{BUCKET}/{RELEASE}", huge))
        assert talk.recv(65536).startswith(b"HTTP/1.1 403 ")
    key = signed(sandbox, "POST", "/", service="ec2")
    with socket.create_connection((sandbox.place.host, sandbox.place.port), timeout=20) as talk:
        talk.sendall(message(sandbox, "POST", "/", {**key, **huge}))
        assert talk.recv(65536).startswith(b"HTTP/1.1 413 ")


# With them ----------------------------------------------------------------------------------------


def test_large_and_streamed_uploads_and_links_still_work(sandbox: Sandbox) -> None:
    s3 = sandbox.client("s3")
    content = os.urandom(9 << 20)
    for how in ({}, {"ChecksumAlgorithm": "SHA256"}):
        s3.put_object(Bucket=BUCKET, Key="large", Body=content, **how)
        assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == content
    s3.upload_fileobj(_Stream(content), BUCKET, "parts")
    assert s3.head_object(Bucket=BUCKET, Key="parts")["ContentLength"] == len(content)
    link = presigned(sandbox, "get_object", Bucket=BUCKET, Key="large")
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == content
    for key in ("large", "parts"):
        s3.delete_object(Bucket=BUCKET, Key=key)


class _Stream:
    """A file of unknown length."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, size: int = -1) -> bytes:
        size = len(self._left) if size < 0 else size
        piece, self._left = self._left[:size], self._left[size:]
        return piece


# What runs in it ----------------------------------------------------------------------------------


def test_an_instance_reads_releases_and_does_nothing_else(sandbox: Sandbox) -> None:
    key = sandbox.keys.instances
    assert client("s3", sandbox.endpoint, key).list_objects_v2(Bucket=BUCKET)
    for name, operation, params in (
        ("s3", "put_object", {"Bucket": BUCKET, "Key": RELEASE, "Body": b"artefact"}),
        ("stepfunctions", "list_state_machines", {}),
        ("ec2", "describe_instances", {}),
        ("ssm", "get_parameter", {"Name": "/ovenbird/fleets/web"}),
    ):
        with pytest.raises(ClientError, match="an instance may read from S3"):
            getattr(client(name, sandbox.endpoint, key), operation)(**params)
    assert nothing_came(sandbox)


def test_scripts_have_nothing_of_the_users_environment(sandbox: Sandbox) -> None:
    assert os.environ["GITHUB_TOKEN"]
    (group,) = sandbox.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    instance = group["Instances"][0]["InstanceId"]
    ssm = sandbox.client("ssm")
    command = ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": ["env"]},
    )["Command"]["CommandId"]

    def ended() -> Any:
        found = ssm.list_command_invocations(CommandId=command, Details=True)
        return [each for each in found["CommandInvocations"] if each["Status"] == "Success"]

    for _ in range(100):
        if ended():
            break
        subprocess.run(["sleep", "0.1"], check=True)
    told = ssm.get_command_invocation(CommandId=command, InstanceId=instance)
    seen = dict(line.partition("=")[::2] for line in told["StandardOutputContent"].splitlines())
    assert not set(OF_THE_USER) & set(seen)
    assert instance in seen["HOME"]
    users = set(os.environ["PATH"].split(os.pathsep)) - set(search_path(tools()).split(os.pathsep))
    assert not users & set(seen["PATH"].split(os.pathsep))
    assert seen["AWS_ACCESS_KEY_ID"] == sandbox.keys.instances.id
    allowed = re.compile(
        r"AWS_\w+|HOME|INSTANCE_\w+|LANG|OLDPWD|PATH|PORT|PWD|SAM_CLI_TELEMETRY|SHLVL|TMPDIR|_"
    )
    assert [name for name in seen if not allowed.fullmatch(name)] == []


def test_others_on_this_machine_read_no_file_of_it(sandbox: Sandbox) -> None:
    assert stat.S_IMODE(sandbox.state.stat().st_mode) == 0o700


def test_nothing_else_listens(sandbox: Sandbox) -> None:
    """And nothing beyond this machine: the endpoint, balancers, addresses and instances."""
    if not Path("/proc/net/tcp").exists():
        pytest.skip("this system does not say who listens")
    own = {str(sandbox.place.port)} | {
        url.rpartition(":")[2] for url in (sandbox.balancer_url, *sandbox.addresses.values())
    }
    mine = {
        str(entry.readlink())
        for entry in Path(f"/proc/{os.getpid()}/fd").iterdir()
        if entry.is_symlink()
    }
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] != "0A" or f"socket:[{fields[9]}]" not in mine:
            continue
        host, port = fields[1].split(":")
        address = socket.inet_ntoa(struct.pack("<I", int(host, 16)))
        assert address.startswith("127.")
        assert str(int(port, 16)) in own
    six = Path("/proc/net/tcp6")
    lines = six.read_text().splitlines()[1:] if six.exists() else []
    assert not [line for line in lines if f"socket:[{line.split()[9]}]" in mine]


def test_the_introduction_is_what_tools_need_and_says_so(sandbox: Sandbox) -> None:
    text = introduction(sandbox)
    assert f"export AWS_SECRET_ACCESS_KEY={sandbox.keys.people.secret}" in text
    assert sandbox.keys.functions.secret not in text
    assert "with your rights" in text
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    asked = subprocess.run(
        ["aws", "sts", "get-caller-identity"],
        env={**environment, **sandbox.exports},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(asked.stdout)["Account"] == "000000000000"
