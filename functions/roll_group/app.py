"""The group, rolled to the version."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.roll_group import step

clients.warm("autoscaling", "dynamodb", "elb", "elbv2")
handler = entry("roll_group", step)
