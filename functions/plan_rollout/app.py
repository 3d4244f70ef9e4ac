"""The fleet's lane and the plan."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.plan_rollout import step

clients.warm("autoscaling", "cloudwatch", "dynamodb", "ec2", "elb", "elbv2", "ssm", "stepfunctions")
handler = entry("plan_rollout", step)
