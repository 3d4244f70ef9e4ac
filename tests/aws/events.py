"""The events of what happens meanwhile, through EventBridge into a queue, read as ours are."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from ovenbird import events
from ovenbird.errors import BadEvent
from ovenbird.events import Ignored
from tests.aws.account import Account, Belongings, NotInTime
from tests.aws.assumptions import Assumption, Report

SHAPES = Assumption(
    "events of images, instances and refreshes have the fields that ring a doorbell",
    "EventBridge events reference",
)
BAKING = Assumption(
    "a refresh's Started Baking event has the same fields",
    "docs/limits.md: What the event `Instance Refresh Started Baking` contains",
)
ASSUMPTIONS = (SHAPES, BAKING)
_BAKING = "EC2 Auto Scaling Instance Refresh Started Baking"
_PATTERN = {"source": ["aws.ec2", "aws.autoscaling"]}


class Watch:
    """A rule and its queue; ``expect`` what is going to happen, ``judge`` at the end."""

    def __init__(self, account: Account, owned: Belongings) -> None:
        self._account = account
        self._expected: set[tuple[str, str]] = set()
        self._come: dict[tuple[str, str], str] = {}
        sqs, rules = account.client("sqs"), account.client("events")
        name, tags = account.name, {tag["Key"]: tag["Value"] for tag in account.tags}
        owned.add(f"queue {name}", lambda: _delete_queue(sqs, name))
        self._queue = sqs.create_queue(QueueName=name, tags=tags)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = arn["Attributes"]["QueueArn"]
        owned.add(f"rule {name}", lambda: rules.delete_rule(Name=name))
        rule = rules.put_rule(
            Name=name, EventPattern=json.dumps(_PATTERN), State="ENABLED", Tags=account.tags
        )["RuleArn"]
        sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": _policy(arn, rule)})
        owned.add(f"target of {name}", lambda: rules.remove_targets(Rule=name, Ids=["queue"]))
        rules.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    def expect(self, doorbell: str, *kinds: str) -> None:
        """Events of these kinds will ring this doorbell."""
        self._expected |= {(kind, doorbell) for kind in kinds}

    def judge(self, report: Report) -> None:
        """Wait for what was expected, and say whether we could read it."""
        with suppress(NotInTime):  # what never came is told below: AWS promises only to try
            self._account.until(self._all_came, "an event", minutes=3)
        for assumption, wanted in (
            (BAKING, {each for each in self._expected if each[0] == _BAKING}),
            (SHAPES, {each for each in self._expected if each[0] != _BAKING}),
        ):
            wrong = [self._come[each] for each in wanted if self._come.get(each)]
            missing = sorted({each[0] for each in wanted if each not in self._come})
            if wrong:
                report.judge(assumption, False, "; ".join(wrong))
            elif missing or not wanted:
                report.give_up([assumption], f"never came: {', '.join(missing) or 'anything'}")
            else:
                kinds = {kind for kind, _ in wanted}
                report.judge(assumption, True, f"{len(wanted)} events of {len(kinds)} kinds")

    def _all_came(self) -> bool:
        sqs = self._account.client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages"):
            for message in messages:
                self._read(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return self._expected <= self._come.keys()

    def _read(self, event: dict[str, Any]) -> None:
        """Only events of what we made count: the account may be a busy one."""
        kind, text = str(event.get("detail-type")), json.dumps(event)
        about = {bell for wanted, bell in self._expected if wanted == kind and bell in text}
        try:
            rung = events.doorbells(event)
        except BadEvent as error:
            problem, rung = f"{kind}: {error}", ()
        else:
            problem = f"{kind} rang {rung}"
        for bell in about:
            read = not isinstance(rung, Ignored) and bell in rung
            self._come[kind, bell] = "" if read else problem


def _delete_queue(sqs: Any, name: str) -> None:
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])


def _policy(queue: str, rule: str) -> str:
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})
