"""A fleet document was written: whoever wrote it is told what is wrong with it."""

from __future__ import annotations

from ovenbird.aws import clients
from ovenbird.entry import entry
from ovenbird.steps.check_fleet import step

clients.warm("dynamodb", "sns", "ssm")
handler = entry("check_fleet", step)
