"""Something changed: whoever waits for it looks again."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.ring_doorbell import step

clients.warm("dynamodb", "stepfunctions")
handler = entry("ring_doorbell", step)
