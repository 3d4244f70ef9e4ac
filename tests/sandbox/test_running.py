"""The sandbox as it runs: both halves behind one endpoint, and how they tell each other things."""

from __future__ import annotations

import http.client
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from sandbox import fleet, releases, status
from sandbox.sandbox import PortTaken, Sandbox

ROLE = "arn:aws:iam::000000000000:role/any"
FUNCTION = """
import os, time

class Throttled(Exception):
    pass

def handler(event, context):
    if event.get("fail"):
        raise Throttled(event["fail"])
    if event.get("die"):
        os.kill(os.getpid(), 9)
    time.sleep(event.get("sleep", 0))
    return {"slept": event.get("sleep", 0)}
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(speed=60, port=0) as running:
        yield running


@pytest.fixture(scope="module")
def function(sandbox: Sandbox) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", FUNCTION)
    made = sandbox.client("lambda").create_function(
        FunctionName="sample",
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=20,
    )
    return str(made["FunctionArn"])


def eventually(true: Callable[[], Any], seconds: float = 10.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def get(url: str, path: str = "/") -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def leads_to(url: str, instance_id: str) -> bool:
    try:
        return get(url)[1].endswith(f"on {instance_id}\n")
    except OSError:  # the address moved under this very request
        return False


class Listening:
    """A rule with a queue behind it: what the bus delivers."""

    def __init__(self, sandbox: Sandbox, name: str, pattern: dict[str, Any]) -> None:
        self._sqs = sandbox.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        events = sandbox.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, Targets=[target])

    def next(self) -> dict[str, Any]:
        def receive() -> list[dict[str, Any]]:
            answer = self._sqs.receive_message(QueueUrl=self._url)
            messages: list[dict[str, Any]] = answer.get("Messages", [])
            return messages

        message = eventually(receive)[0]
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        event: dict[str, Any] = json.loads(message["Body"])
        return event


def test_the_sample_fleet_serves_at_once(sandbox: Sandbox) -> None:
    for url in (sandbox.balancer_url, *sandbox.addresses.values()):
        assert get(url, "/version") == (200, "1\n")


def test_the_addresses_that_aws_shows_are_the_ones_that_work(sandbox: Sandbox) -> None:
    shown = sandbox.client("ec2").describe_addresses()["Addresses"]

    assert {address["PublicIp"] for address in shown} == set(sandbox.addresses)
    for address in shown:
        _, text = get(sandbox.addresses[address["PublicIp"]])
        assert text.endswith(f"on {address['InstanceId']}\n")


def test_an_address_goes_where_it_is_moved(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    groups = sandbox.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    address = ec2.describe_addresses()["Addresses"][0]
    other = next(
        instance["InstanceId"]
        for instance in groups[0]["Instances"]
        if instance["InstanceId"] != address["InstanceId"]
    )
    where = {"AllocationId": address["AllocationId"], "AllowReassociation": True}
    ec2.associate_address(InstanceId=other, **where)

    url = sandbox.addresses[address["PublicIp"]]
    eventually(lambda: leads_to(url, other))

    ec2.associate_address(InstanceId=address["InstanceId"], **where)
    eventually(lambda: leads_to(url, address["InstanceId"]))


def test_an_event_of_the_fleet_reaches_a_rule(sandbox: Sandbox) -> None:
    pattern = {"source": ["aws.ec2"], "detail": {"state": ["running"]}}
    rule = Listening(sandbox, "instances-run", pattern)
    assert sandbox.fleet
    image_id = sandbox.fleet.image_id
    ec2 = sandbox.client("ec2")

    launched = ec2.run_instances(ImageId=image_id, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    instance_id = launched["Instances"][0]["InstanceId"]

    event = rule.next()
    assert event["detail-type"] == "EC2 Instance State-change Notification"
    assert event["detail"] == {"instance-id": instance_id, "state": "running"}
    ec2.terminate_instances(InstanceIds=[instance_id])


def test_an_artefact_that_is_uploaded_is_an_event(sandbox: Sandbox) -> None:
    rule = Listening(sandbox, "artefacts", {"source": ["aws.s3"]})

    body = releases.build_artifact("2")
    sandbox.client("s3").put_object(Bucket=fleet.BUCKET, Key="web/2.tar.gz", Body=body)

    event = rule.next()
    assert event["detail-type"] == "Object Created"
    assert event["detail"]["object"]["key"] == "web/2.tar.gz"


def test_a_parameter_that_changes_is_an_event(sandbox: Sandbox) -> None:
    rule = Listening(sandbox, "parameters", {"detail-type": ["Parameter Store Change"]})
    ssm = sandbox.client("ssm")
    name = "/ovenbird/fleets/web/paused"

    ssm.put_parameter(Name=name, Type="String", Value="a sale")
    assert rule.next()["detail"] == {
        "operation": "Create",
        "name": name,
        "type": "String",
        "description": "",
    }
    ssm.put_parameter(Name=name, Type="String", Value="a long sale", Overwrite=True)
    assert rule.next()["detail"]["operation"] == "Update"
    ssm.delete_parameter(Name=name)
    assert rule.next()["detail"]["operation"] == "Delete"


def test_an_alarm_says_the_same_on_both_sides_and_tells_of_it(
    sandbox: Sandbox, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudwatch = sandbox.client("cloudwatch")
    rule = Listening(sandbox, "alarms", {"detail-type": ["CloudWatch Alarm State Change"]})
    cloudwatch.put_metric_alarm(
        AlarmName="by-hand",
        Namespace="Acme",
        MetricName="Orders",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        AlarmActions=[function],
    )
    invoked: list[Any] = []
    monkeypatch.setattr(sandbox.emulator, "invoke", lambda *given: invoked.append(given))

    cloudwatch.set_alarm_state(AlarmName="by-hand", StateValue="ALARM", StateReason="a test")

    event = rule.next()
    while event["detail"]["alarmName"] != "by-hand":  # the fleet's own alarm may find OK now
        event = rule.next()
    assert event["detail"]["state"]["value"] == "ALARM"
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert sandbox.cloud.cloudwatch.states(["by-hand"]) == {"by-hand": "ALARM"}
    (arn, direct), *_ = eventually(lambda: invoked)
    assert arn == function
    assert direct["alarmData"]["state"]["value"] == "ALARM"


def test_an_unhealthy_target_raises_the_alarm_where_everybody_sees_it(sandbox: Sandbox) -> None:
    cloudwatch = sandbox.client("cloudwatch")

    def state() -> str:
        alarms = cloudwatch.describe_alarms(AlarmNames=[fleet.ALARM])["MetricAlarms"]
        return str(alarms[0]["StateValue"])

    eventually(lambda: state() == "OK")
    autoscaling = sandbox.client("autoscaling")
    groups = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    keep = {"AutoScalingGroupName": fleet.NAME, "ScalingProcesses": ["ReplaceUnhealthy"]}
    autoscaling.suspend_processes(**keep)
    with sandbox.cloud.kernel.lock:
        sandbox.machines.stop(groups[0]["Instances"][0]["InstanceId"])

    eventually(lambda: state() == "ALARM")
    autoscaling.resume_processes(**keep)
    eventually(lambda: state() == "OK", 30)  # the group has replaced the instance


def test_an_image_named_by_a_parameter_is_looked_up(sandbox: Sandbox) -> None:
    assert sandbox.fleet
    sandbox.client("ssm").put_parameter(
        Name="/images/web", Type="String", Value=sandbox.fleet.image_id
    )
    ec2 = sandbox.client("ec2")
    template = ec2.create_launch_template(
        LaunchTemplateName="by-parameter",
        LaunchTemplateData={"ImageId": "resolve:ssm:/images/web", "InstanceType": "t3.micro"},
    )["LaunchTemplate"]["LaunchTemplateId"]

    launched = ec2.run_instances(
        LaunchTemplate={"LaunchTemplateId": template}, MinCount=1, MaxCount=1
    )["Instances"][0]

    assert launched["ImageId"] == sandbox.fleet.image_id
    ec2.terminate_instances(InstanceIds=[launched["InstanceId"]])
    ec2.create_launch_template_version(
        LaunchTemplateId=template, LaunchTemplateData={"ImageId": "resolve:ssm:/images/none"}
    )
    with pytest.raises(ClientError, match="/images/none"):
        ec2.run_instances(
            LaunchTemplate={"LaunchTemplateId": template, "Version": "2"}, MinCount=1, MaxCount=1
        )


def run(sandbox: Sandbox, name: str, state: dict[str, Any]) -> dict[str, Any]:
    """Run a state machine of one state and return its execution when it has ended."""
    steps = sandbox.client("stepfunctions")
    definition = {"StartAt": "Only", "States": {"Only": {"End": True, **state}}}
    machine = steps.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    execution = steps.start_execution(stateMachineArn=machine)["executionArn"]

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = steps.describe_execution(executionArn=execution)
        return None if described["status"] == "RUNNING" else described

    found: dict[str, Any] = eventually(ended, 20)
    return found


@pytest.mark.parametrize(
    ("event", "error"),
    [
        pytest.param({"fail": "slow down"}, "Throttled", id="raises"),
        pytest.param({"fail": "slow\ndown: now"}, "Throttled", id="raises in several lines"),
        pytest.param({"die": True}, "Runtime.ExitError", id="dies"),
    ],
)
def test_a_failed_function_is_named_as_lambda_names_it(
    sandbox: Sandbox, function: str, event: dict[str, Any], error: str, request: Any
) -> None:
    name = f"fails-{abs(hash(request.node.callspec.id))}"
    ended = run(sandbox, name, {"Type": "Task", "Resource": function, "Parameters": event})

    assert ended["status"] == "FAILED"
    assert ended["error"] == error


def test_waiting_for_a_token_times_out_in_cloud_time(sandbox: Sandbox) -> None:
    queue = sandbox.client("sqs").create_queue(QueueName="tokens")["QueueUrl"]
    began = time.monotonic()

    ended = run(
        sandbox,
        "waits",
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": queue, "MessageBody.$": "$$.Task.Token"},
            "TimeoutSeconds": 60,
        },
    )

    assert ended["error"] == "States.Timeout"
    assert time.monotonic() - began < 10


def test_a_rule_invokes_its_function_again_and_then_gives_the_event_to_the_destination(
    sandbox: Sandbox, function: str
) -> None:
    sqs = sandbox.client("sqs")
    queue = sqs.create_queue(QueueName="failed")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    sandbox.client("lambda").put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": arn["Attributes"]["QueueArn"]}},
    )
    events = sandbox.client("events")
    events.put_rule(Name="fails", EventPattern=json.dumps({"source": ["acme"]}))
    target = {"Id": "f", "Arn": function, "Input": json.dumps({"fail": "no"})}
    events.put_targets(Rule="fails", Targets=[target])

    events.put_events(Entries=[{"Source": "acme", "DetailType": "x", "Detail": "{}"}])

    message = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), 20)[0]
    failed = json.loads(message["Body"])
    assert failed["requestPayload"] == {"fail": "no"}
    assert failed["responsePayload"]["errorType"] == "Throttled"


def test_many_functions_run_at_once(sandbox: Sandbox, function: str) -> None:
    client = sandbox.client("lambda")
    answers: list[Any] = []

    def invoke() -> None:
        payload = json.dumps({"sleep": 1}).encode()
        answer = client.invoke(FunctionName=function, Payload=payload)
        answers.append(json.loads(answer["Payload"].read()))

    callers = [threading.Thread(target=invoke) for _ in range(6)]
    began = time.monotonic()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert answers == [{"slept": 1}] * 6
    assert time.monotonic() - began < 6 + 10  # one after the other they would sleep 6 s alone


def test_a_function_can_be_killed_in_the_middle(sandbox: Sandbox, function: str) -> None:
    client = sandbox.client("lambda")
    answers: list[Any] = []

    def invoke() -> None:
        payload = json.dumps({"sleep": 15}).encode()
        answers.append(client.invoke(FunctionName=function, Payload=payload))

    caller = threading.Thread(target=invoke)
    caller.start()
    eventually(lambda: sandbox.emulator.kill("sample"))
    caller.join(10)

    assert json.loads(answers[0]["Payload"].read())["errorType"] == "Runtime.ExitError"


def test_the_status_shows_the_fleet(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.show(sandbox.endpoint, sandbox.keys.people, watch=False) == 0

    shown = capsys.readouterr().out
    assert "web: 2 ≤ 4 ≤ 8" in shown
    for public in sandbox.addresses:
        assert public in shown


def test_a_port_that_is_taken_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(PortTaken, match=str(sandbox.place.port)):
        Sandbox(port=sandbox.place.port)
