"""A rollout that failed is undone."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.undo_rollout import step

clients.warm("autoscaling", "dynamodb", "ec2", "elb", "elbv2", "sns", "stepfunctions")
handler = entry("undo_rollout", step)
