"""The small adapters: parameters, executions, target health, alarms, the topic."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber

from ovenbird.aws import alarms, executions, loadbalancing, parameters, topic
from ovenbird.core import traffic
from ovenbird.core.notices import Notice
from ovenbird.errors import BadFleet, Declined, Denied, NotFound, Refused
from ovenbird.settings import settings
from tests.unit.stubs import stubbed
from tests.unit.test_settings import GOOD

BASE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
MACHINE = GOOD["OVENBIRD_STATE_MACHINE_ARN"]
EXECUTION = MACHINE.replace(":stateMachine:", ":execution:") + ":web-1"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def holds(ssm: Stubber, name: str, value: str) -> None:
    ssm.add_response("get_parameter", {"Parameter": {"Name": name, "Value": value}}, {"Name": name})


class TestParameters:
    def test_a_base_image_is_read_from_its_public_parameter(self) -> None:
        with stubbed("ssm") as ssm:
            holds(ssm, BASE, "ami-0123456789abcdef0")
            assert parameters.image(BASE) == "ami-0123456789abcdef0"

    def test_a_public_parameter_that_is_not_there(self) -> None:
        with stubbed("ssm") as ssm:
            ssm.add_client_error("get_parameter", "ParameterNotFound")
            with pytest.raises(NotFound) as missing:
                parameters.image(BASE)
        assert str(missing.value) == (
            f"bake.base is {BASE}, but there is no such public parameter."
        )

    @pytest.mark.parametrize("value", ["ami-1", "ami-0123456789abcdef01", "x ami-01234567", "{}"])
    def test_a_public_parameter_that_is_no_image(self, value: str) -> None:
        with stubbed("ssm") as ssm:
            holds(ssm, BASE, value)
            with pytest.raises(Refused, match=r"it must hold an image id\.$"):
                parameters.image(BASE)

    def test_a_fleet_without_a_document(self) -> None:
        with stubbed("ssm") as ssm:
            ssm.add_client_error("get_parameter", "ParameterNotFound")
            with pytest.raises(NotFound) as missing:
                parameters.fleet("web")
        assert str(missing.value) == (
            "There is no fleet web: put its document into the parameter /ovenbird/fleets/web."
        )

    @pytest.mark.parametrize("name", ["", "../x", "Web", "a/b"])
    def test_a_name_that_no_fleet_can_have_is_not_looked_up(self, name: str) -> None:
        with stubbed("ssm"), pytest.raises(BadFleet, match=r"^The fleet's name is "):
            parameters.fleet(name)

    def test_a_parameter_that_may_not_be_read_is_not_missing(self) -> None:
        with stubbed("ssm") as ssm:
            ssm.add_client_error("get_parameter", "AccessDeniedException")
            with pytest.raises(Denied):
                parameters.paused("web")

    def test_what_is_published_already_is_not_written_again(self) -> None:
        with stubbed("ssm") as ssm:
            holds(ssm, "/ovenbird/fleets/web/image", "ami-0123456789abcdef0")
            parameters.publish_image("web", "ami-0123456789abcdef0")

    def test_an_image_is_published_so_that_templates_can_name_it(self) -> None:
        with stubbed("ssm") as ssm:
            ssm.add_client_error("get_parameter", "ParameterNotFound")
            ssm.add_response(
                "put_parameter",
                {"Version": 1},
                {
                    "Name": "/ovenbird/fleets/web/image",
                    "Value": "ami-0123456789abcdef0",
                    "Type": "String",
                    "DataType": "aws:ec2:image",
                    "Description": "The image that the fleet web runs; written by Ovenbird.",
                    "Overwrite": True,
                },
            )
            parameters.publish_image("web", "ami-0123456789abcdef0")


class TestExecutions:
    @pytest.mark.parametrize(
        ("status", "running"),
        [
            ("RUNNING", True),
            ("PENDING_REDRIVE", True),
            ("SUCCEEDED", False),
            ("FAILED", False),
            ("TIMED_OUT", False),
            ("ABORTED", False),
        ],
    )
    def test_only_two_states_are_alive(self, status: str, running: bool) -> None:
        with stubbed("stepfunctions") as states:
            states.add_response(
                "describe_execution",
                {
                    "executionArn": EXECUTION,
                    "stateMachineArn": MACHINE,
                    "status": status,
                    "startDate": 0,
                },
                {"executionArn": EXECUTION, "includedData": "METADATA_ONLY"},
            )
            assert executions.is_running("web-1") is running

    def test_one_that_never_was_does_not_run(self) -> None:
        with stubbed("stepfunctions") as states:
            states.add_client_error("describe_execution", "ExecutionDoesNotExist")
            assert executions.is_running("web-1") is False

    @pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
    def test_a_token_that_nobody_waits_with_any_more_is_stale(self, code: str) -> None:
        with stubbed("stepfunctions") as states:
            states.add_client_error("send_task_success", code)
            assert executions.complete("token") == "stale"

    def test_a_token_wakes_whoever_waits_with_it(self) -> None:
        with stubbed("stepfunctions") as states:
            asked = {"taskToken": "token", "output": '{"rung": true}'}
            states.add_response("send_task_success", {}, asked)
            assert executions.complete("token") == "woken"
            assert executions.complete(None) == "nobody"

    def test_an_answer_that_is_refused_is_loud(self) -> None:
        with stubbed("stepfunctions") as states:
            states.add_client_error("send_task_success", "InvalidOutput")
            with pytest.raises(Declined):
                executions.complete("token")


def healthy_instances(sources: list[str]) -> frozenset[str] | None:
    return traffic.healthy(loadbalancing.opinions(sources))


class TestTargets:
    ARN = (
        "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/{}/0123456789abcdef"
    ).format

    def answers(self, elb: Stubber, name: str, *states: tuple[str, int, str]) -> None:
        elb.add_response(
            "describe_target_health",
            {
                "TargetHealthDescriptions": [
                    {"Target": {"Id": target, "Port": port}, "TargetHealth": {"State": state}}
                    for target, port, state in states
                ]
            },
            {"TargetGroupArn": self.ARN(name)},
        )

    def test_who_is_healthy_is_so_everywhere_and_on_every_port(self) -> None:
        with stubbed("elbv2") as elb:
            self.answers(
                elb,
                "a",
                ("i-1", 80, "healthy"),
                ("i-2", 80, "healthy"),
                ("i-2", 81, "unhealthy"),
                ("i-3", 80, "healthy"),
                ("i-4", 80, "initial"),
                ("i-5", 80, "draining"),
            )
            self.answers(elb, "b", ("i-1", 80, "healthy"), ("i-2", 80, "healthy"))
            found = healthy_instances([self.ARN("a"), self.ARN("b")])
        assert found == frozenset({"i-1"})

    def test_without_target_groups_nobody_can_say(self) -> None:
        assert healthy_instances([]) is None

    def test_an_empty_target_group_has_nobody_healthy(self) -> None:
        with stubbed("elbv2") as elb:
            self.answers(elb, "a")
            assert healthy_instances([self.ARN("a")]) == frozenset()


class TestAlarms:
    def test_alarms_of_both_kinds_are_asked_for_a_hundred_at_a_time(self) -> None:
        names = [f"alarm-{number:03}" for number in range(101)]
        kinds = ["MetricAlarm", "CompositeAlarm"]
        first, rest = names[:100], names[100:]
        with stubbed("cloudwatch") as cloudwatch:
            cloudwatch.add_response(
                "describe_alarms",
                {
                    "MetricAlarms": [{"AlarmName": "alarm-000", "StateValue": "OK"}],
                    "CompositeAlarms": [{"AlarmName": "alarm-001", "StateValue": "ALARM"}],
                },
                {"AlarmNames": first, "AlarmTypes": kinds, "MaxRecords": 100},
            )
            cloudwatch.add_response(
                "describe_alarms",
                {},
                {"AlarmNames": rest, "AlarmTypes": kinds, "MaxRecords": 100},
            )
            found = alarms.states([*names, names[0]])
        assert found == {"alarm-000": "OK", "alarm-001": "ALARM"}

    def test_nobody_is_asked_where_no_alarm_is_named(self) -> None:
        with stubbed("cloudwatch"):
            assert alarms.states([]) == {}


def test_a_notice_is_sent_with_its_subject() -> None:
    with stubbed("sns") as sns:
        asked = {"TopicArn": GOOD["OVENBIRD_TOPIC_ARN"], "Subject": "Ovenbird: x", "Message": "y"}
        sns.add_response("publish", {"MessageId": "1"}, asked)
        topic.publish(Notice("Ovenbird: x", "y"))
