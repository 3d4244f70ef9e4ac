"""An alarm: the rollout that it guards looks at once."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.answer_alarm import step

clients.warm("dynamodb", "ssm", "stepfunctions")
handler = entry("answer_alarm", step)
