"""The launch template version."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.publish_template import step

clients.warm("dynamodb", "ec2")
handler = entry("publish_template", step)
