"""The Elastic IPs, on healthy instances."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.move_address import step

clients.warm("autoscaling", "dynamodb", "ec2", "elb", "elbv2", "ssm")
handler = entry("move_address", step)
