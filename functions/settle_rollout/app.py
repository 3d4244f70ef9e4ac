"""A rollout that worked is settled."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.settle_rollout import step

clients.warm("autoscaling", "dynamodb", "ec2", "sns", "ssm", "stepfunctions")
handler = entry("settle_rollout", step)
