"""The adapter of Run Command: what is sent, and answers that come late, twice or half."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from ovenbird.aws import clients, commands
from ovenbird.core.commands import Command
from ovenbird.errors import Declined, NotYetVisible
from tests.unit.stubs import stubbed

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
BUILDER = "i-0123456789abcdef0"
FIRST = "00000000-0000-4000-8000-000000000001"
SECOND = "00000000-0000-4000-8000-000000000002"


@pytest.fixture
def ssm() -> Iterator[Stubber]:
    with stubbed("ssm") as stubber:
        yield stubber


def invocation(command: str, status: str, *, comment: str = "Ovenbird web-1") -> dict[str, Any]:
    return {
        "CommandId": command,
        "InstanceId": BUILDER,
        "Comment": comment,
        "Status": status,
        "StatusDetails": f"{status}!",
        "RequestedDateTime": NOON if command == FIRST else LATER,
    }


def finds(ssm: Stubber, *pages: list[dict[str, Any]]) -> None:
    """What the list of invocations answers, in pages."""
    asked: dict[str, Any] = {"InstanceId": BUILDER, "MaxResults": 50}
    for number, page in enumerate(pages, 1):
        more = {} if number == len(pages) else {"NextToken": str(number)}
        ssm.add_response("list_command_invocations", {"CommandInvocations": page, **more}, asked)
        asked = {**asked, "NextToken": str(number)}


def ends(ssm: Stubber, command: str, **output: Any) -> None:
    ssm.add_response(
        "get_command_invocation",
        {"CommandId": command, "InstanceId": BUILDER, **output},
        {"CommandId": command, "InstanceId": BUILDER},
    )


def find() -> Command | None:
    return commands.find(BUILDER, "Ovenbird web-1")


def test_one_that_runs_is_found_on_a_later_page_and_its_output_not_asked_for(ssm: Stubber) -> None:
    other = invocation(SECOND, "Success", comment="Somebody's")
    finds(ssm, [], [other], [invocation(FIRST, "InProgress")])
    assert find() == Command(FIRST, "InProgress", NOON, details="InProgress!")


def test_what_was_never_sent_is_not_found(ssm: Stubber) -> None:
    other = invocation(FIRST, "Success", comment="Ovenbird web-11")
    no_comment = invocation(SECOND, "Success")
    del no_comment["Comment"]
    finds(ssm, [other, no_comment])
    assert find() is None


def test_no_secret_comes_in_with_an_output(ssm: Stubber) -> None:
    finds(ssm, [invocation(FIRST, "Failed")])
    ends(
        ssm,
        FIRST,
        Status="Failed",
        StandardOutputContent="+ login with correct horse\n",
        StandardErrorContent="+ export DB_PASSWORD=s3cr3t\n",
    )
    found = commands.find(BUILDER, "Ovenbird web-1", secrets=["correct horse"])
    assert found is not None
    assert (found.stdout, found.stderr) == ("+ login with ***\n", "+ export DB_PASSWORD=***\n")


def test_one_that_has_ended_is_told_with_everything(ssm: Stubber) -> None:
    finds(ssm, [invocation(FIRST, "Failed")])
    ends(
        ssm,
        FIRST,
        Status="Failed",
        StatusDetails="Failed",
        ResponseCode=3,
        StandardOutputContent="out",
        StandardErrorContent="err",
    )
    assert find() == Command(FIRST, "Failed", NOON, "Failed", 3, "out", "err")


def test_one_that_has_ended_without_any_output(ssm: Stubber) -> None:
    finds(ssm, [invocation(FIRST, "TimedOut")])
    ends(ssm, FIRST, Status="TimedOut")
    assert find() == Command(FIRST, "TimedOut", NOON, "", None, "", "")


def test_an_end_whose_output_is_not_there_yet_is_looked_at_again(ssm: Stubber) -> None:
    finds(ssm, [invocation(FIRST, "Success")])
    ssm.add_client_error("get_command_invocation", "InvocationDoesNotExist")
    with pytest.raises(NotYetVisible, match=f"The script's output on {BUILDER} is not there yet"):
        find()


def test_an_output_that_may_not_be_read_is_loud(ssm: Stubber) -> None:
    finds(ssm, [invocation(FIRST, "Success")])
    ssm.add_client_error("get_command_invocation", "InvalidPluginName")
    with pytest.raises(Declined):
        find()


@pytest.mark.parametrize(
    ("first", "second", "is_answered"),
    [
        pytest.param("Success", "InProgress", SECOND, id="one still runs"),
        pytest.param("Failed", "InProgress", SECOND, id="one failed, one still runs"),
        pytest.param("Success", "Failed", SECOND, id="one failed"),
        pytest.param("Failed", "Success", FIRST, id="the other failed"),
        pytest.param("Success", "Success", FIRST, id="both are done"),
    ],
)
def test_of_two_the_one_that_is_not_done_well_is_the_answer(
    ssm: Stubber, first: str, second: str, is_answered: str
) -> None:
    finds(ssm, [invocation(FIRST, first), invocation(SECOND, second)])
    status = first if is_answered == FIRST else second
    if status != "InProgress":
        ends(ssm, is_answered, Status=status)
    found = find()
    assert found is not None
    assert (found.command_id, found.status) == (is_answered, status)


def test_a_comment_is_cut_as_aws_cuts_it(ssm: Stubber) -> None:
    finds(ssm, [invocation(FIRST, "InProgress", comment="c" * 100)])
    assert commands.find(BUILDER, "c" * 130) is not None


@pytest.mark.parametrize(
    ("known", "online"),
    [
        pytest.param([], False, id="never registered"),
        pytest.param([(BUILDER, "Online")], True, id="online"),
        pytest.param([(BUILDER, "ConnectionLost")], False, id="connection lost"),
        pytest.param([(BUILDER, None)], False, id="nothing said"),
        pytest.param([("i-0123456789abcdef9", "Online")], False, id="somebody else"),
    ],
)
def test_an_instance_is_online_when_the_agent_says_so(
    ssm: Stubber, known: list[tuple[str, str | None]], online: bool
) -> None:
    told = [{"InstanceId": name, **({"PingStatus": ping} if ping else {})} for name, ping in known]
    ssm.add_response(
        "describe_instance_information",
        {"InstanceInformationList": told},
        {"Filters": [{"Key": "InstanceIds", "Values": [BUILDER]}], "MaxResults": 5},
    )
    assert commands.online(BUILDER) is online


def send() -> str:
    return commands.send(
        BUILDER,
        ["true"],
        comment="c" * 130,
        timeout=timedelta(minutes=61),
        delivery=timedelta(minutes=10),
    )


def test_a_script_is_sent_once_and_whole() -> None:
    with stubbed("ssm", once=True) as ssm:
        ssm.add_response(
            "send_command",
            {"Command": {"CommandId": FIRST}},
            {
                "DocumentName": "AWS-RunShellScript",
                "InstanceIds": [BUILDER],
                "Comment": "c" * 100,
                "TimeoutSeconds": 600,
                "Parameters": {
                    "commands": ["true"],
                    "workingDirectory": ["/"],
                    "executionTimeout": ["3660"],
                },
            },
        )
        assert send() == FIRST


@pytest.mark.parametrize(
    ("code", "failure"), [("InvalidInstanceId", NotYetVisible), ("InvalidDocument", Declined)]
)
def test_a_script_that_is_not_taken(code: str, failure: type[Exception]) -> None:
    with stubbed("ssm", once=True) as ssm:
        ssm.add_client_error("send_command", code, "because")
        with pytest.raises(failure, match="because"):
            send()


def test_only_the_client_for_it_never_repeats_a_call() -> None:
    with stubbed("ssm"):
        tries = {once: clients.get("ssm", once=once).meta.config.retries for once in (False, True)}
    assert {once: each["total_max_attempts"] for once, each in tries.items()} == {
        False: 5,
        True: 1,
    }
    assert {each["mode"] for each in tries.values()} == {"standard"}
