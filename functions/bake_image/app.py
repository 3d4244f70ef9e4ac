"""The image."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.bake_image import step

clients.warm("autoscaling", "dynamodb", "ec2", "ssm")
handler = entry("bake_image", step)
