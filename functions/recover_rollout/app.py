"""A rollout whose execution has died is undone by another one."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.recover_rollout import step

clients.warm("dynamodb", "sns", "stepfunctions")
handler = entry("recover_rollout", step)
