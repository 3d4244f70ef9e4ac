"""The deployed stack as its tests see it: a user's shell, the functions, and what became of it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox import releases
from sandbox.deployment import ROOT, Deployed
from sandbox.sandbox import Sandbox, tools
from tests.sandbox.deployed.rollout import PATIENCE, Rollout, eventually


@dataclass(frozen=True)
class Answer:
    """What a function answered; ``error`` is the name of its failure, or empty."""

    payload: Any
    error: str


class Stack:
    """The application in a sandbox.

    ``environment`` is a user's: what this process had before the sandbox, without anything of AWS,
    with the sandbox's exports.
    """

    def __init__(
        self, sandbox: Sandbox, deployed: Deployed, environment: Mapping[str, str]
    ) -> None:
        assert sandbox.fleet
        self.sandbox, self.fleet, self._deployed = sandbox, sandbox.fleet, deployed
        self._environment = dict(environment)
        self._notices = self._subscribed()

    # What a person does ---------------------------------------------------------------------------

    def shell(self, *command: str) -> str:
        """What a command prints in a user's terminal, in the project's directory."""
        ran = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def aws(self, *command: str) -> Any:
        """What the aws CLI answers."""
        return json.loads(self.shell("aws", *command, "--output", "json"))

    def upload(self, artifact: bytes, key: str) -> None:
        self.sandbox.client("s3").put_object(Bucket=self.fleet.bucket, Key=key, Body=artifact)

    def invoke(self, step: str, payload: Any) -> Answer:
        """Invoke the function of a step and wait for its answer."""
        answer = self.sandbox.client("lambda").invoke(
            FunctionName=self._deployed.functions[step], Payload=json.dumps(payload).encode()
        )
        said = json.loads(answer["Payload"].read())
        return Answer(said, said["errorType"] if "FunctionError" in answer else "")

    def function_arn(self, step: str) -> str:
        name = self._deployed.functions[step]
        found = self.sandbox.client("lambda").get_function(FunctionName=name)
        return str(found["Configuration"]["FunctionArn"])

    # Rollouts -------------------------------------------------------------------------------------

    def rollouts(self) -> set[str]:
        """The ARNs of all executions so far."""
        found = self.sandbox.client("stepfunctions").list_executions(
            stateMachineArn=self._deployed.state_machine_arn
        )
        return {execution["executionArn"] for execution in found["executions"]}

    def rollout(self, arn: str) -> Rollout:
        return Rollout(self.sandbox, arn)

    def started_by(self, act: Callable[[], object]) -> Rollout:
        """Do something, and return the rollout that it starts."""
        before = self.rollouts()
        act()
        new = eventually(lambda: self.rollouts() - before, 20)
        assert len(new) == 1
        return Rollout(self.sandbox, new.pop())

    def release(self, version: str) -> dict[str, Any]:
        """Upload a good release that calls itself so, and wait for the end of its rollout."""
        artifact = release(version)
        return self.started_by(lambda: self.upload(artifact, f"web/{version}.tar.gz")).ended()

    # What there is --------------------------------------------------------------------------------

    @property
    def group(self) -> dict[str, Any]:
        found = self.sandbox.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.fleet.name]
        )
        group: dict[str, Any] = found["AutoScalingGroups"][0]
        return group

    @property
    def version(self) -> str:
        """The launch template version that the group runs, all of it."""
        group = self.group
        versions = {each["LaunchTemplate"]["Version"] for each in group["Instances"]}
        assert {each["LifecycleState"] for each in group["Instances"]} == {"InService"}
        assert versions == {group["LaunchTemplate"]["Version"]}
        return str(versions.pop())

    @property
    def image(self) -> str:
        """The image of that version."""
        ec2 = self.sandbox.client("ec2")
        found = ec2.describe_launch_template_versions(
            LaunchTemplateId=self.fleet.template_id, Versions=[self.version]
        )
        return str(found["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"])

    @property
    def refreshes(self) -> list[dict[str, Any]]:
        """The newest first."""
        found = self.sandbox.client("autoscaling").describe_instance_refreshes(
            AutoScalingGroupName=self.fleet.name
        )
        refreshes: list[dict[str, Any]] = found["InstanceRefreshes"]
        return refreshes

    @property
    def images(self) -> list[dict[str, Any]]:
        images: list[dict[str, Any]] = self.sandbox.client("ec2").describe_images(Owners=["self"])[
            "Images"
        ]
        return images

    def baked_by(self, rollout: str) -> list[dict[str, Any]]:
        """The images that a rollout made."""
        tag = {"Key": "ovenbird:rollout", "Value": rollout}
        return [image for image in self.images if tag in image.get("Tags", [])]

    def builders_of(self, rollout: str) -> list[str]:
        """The states of the builders that a rollout launched; none is forgotten here so soon."""
        found = self.sandbox.client("ec2").describe_instances(
            Filters=[
                {"Name": "tag:ovenbird:rollout", "Values": [rollout]},
                {"Name": "tag:ovenbird:role", "Values": ["builder"]},
            ]
        )
        return [
            instance["State"]["Name"]
            for reservation in found["Reservations"]
            for instance in reservation["Instances"]
        ]

    def remembered(self, pk: str) -> dict[str, Any]:
        """An item of the ledger, as DynamoDB shows it."""
        found = self.sandbox.client("dynamodb").get_item(
            TableName=self._deployed.ledger, Key={"pk": {"S": pk}}, ConsistentRead=True
        )
        item: dict[str, Any] = found.get("Item", {})
        return item

    def notice_of(self, rollout: str) -> str:
        """What people were told of a rollout: the subject and the text."""

        def told() -> str:
            received = self._sqs.receive_message(QueueUrl=self._notices, MaxNumberOfMessages=10)
            for message in received.get("Messages", []):
                self._sqs.delete_message(
                    QueueUrl=self._notices, ReceiptHandle=message["ReceiptHandle"]
                )
                notice = json.loads(message["Body"])
                if rollout in notice["Message"]:
                    return f"{notice['Subject']}\n{notice['Message']}"
            return ""

        return eventually(told, 20)

    def logged(self, text: str) -> int:
        """In how many lines of the functions' log a text stands."""
        found = self.sandbox.client("logs").filter_log_events(
            logGroupName="/aws/lambda/ovenbird", filterPattern=f'"{text}"'
        )
        return len(found["events"])

    def state(self) -> dict[str, Any]:
        """Everything that a rollout changes."""
        ec2 = self.sandbox.client("ec2")
        versions = ec2.describe_launch_template_versions(LaunchTemplateId=self.fleet.template_id)
        return {
            "rollouts": self.rollouts(),
            "lane": self.remembered("lane#web"),
            "fleet": self.remembered("fleet#web"),
            "images": {image["ImageId"] for image in self.images},
            "versions": len(versions["LaunchTemplateVersions"]),
            "instances": {each["InstanceId"] for each in self.group["Instances"]},
            "refreshes": len(self.refreshes),
        }

    @property
    def served(self) -> set[str]:
        """The versions that the balancer and both addresses serve."""
        urls = (self.sandbox.balancer_url, *self.sandbox.addresses.values())
        return {get(url, "/version").strip() for url in urls for _ in range(4)}

    def _subscribed(self) -> str:
        """The URL of a queue to which every notice goes."""
        self._sqs = self.sandbox.client("sqs")
        url = str(self._sqs.create_queue(QueueName="notices")["QueueUrl"])
        queue = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self.sandbox.client("sns").subscribe(
            TopicArn=self._deployed.topic_arn,
            Protocol="sqs",
            Endpoint=queue["Attributes"]["QueueArn"],
        )
        return url


def user(environment: Mapping[str, str], sandbox: Sandbox) -> dict[str, str]:
    """The environment of a user who has only what ``sandbox up`` prints."""
    own = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    path = os.pathsep.join([*tools(), own.get("PATH", os.defpath)])
    return {**own, **sandbox.exports, "PATH": path}


def release(version: str) -> bytes:
    """The artefact of a good release that calls itself so."""
    text = {"version": version, "greeting": "Good day", "needs": []}
    return releases.pack(
        {
            "app.py": (releases.APPLICATION / "app.py").read_bytes(),
            "release.json": json.dumps(text).encode(),
        }
    )


def sample(name: str) -> Any:
    """An event of ``events/``."""
    return json.loads(Path(ROOT, "events", f"{name}.json").read_text())


def get(url: str, path: str = "/") -> str:
    """The body of a page that is there."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, body
    return body
