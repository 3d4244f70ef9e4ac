"""A release arrives: a rollout for every fleet that wants it."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.accept_release import step

clients.warm("dynamodb", "sns", "ssm", "stepfunctions")
handler = entry("accept_release", step)
