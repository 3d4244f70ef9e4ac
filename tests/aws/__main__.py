"""``python -m tests.aws``: try what is assumed, in the account of your credentials; then clean up.

Answers 0 when everything held, 1 when something did not or could not be tried, 2 when it did not
begin, 3 when something could not be removed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import uuid
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.aws import events, machines, refreshes, statemachines
from tests.aws.account import TAG, Account, Belongings, NotInTime
from tests.aws.assumptions import Assumption, Outcome, Report
from tests.aws.events import Watch
from tests.aws.groups import Template

# The most important first, as in docs/limits.md.
ASSUMPTIONS: tuple[Assumption, ...] = (
    *statemachines.ASSUMPTIONS,
    *refreshes.EMPTY_GROUP,
    *machines.ASSUMPTIONS,
    *refreshes.FEW_INSTANCES,
    *events.ASSUMPTIONS,
)
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
ASKED = """\
Ovenbird verifies in AWS what its sandbox assumes.

  account   {account} ({caller})
  region    {region}{endpoint}
  subnet    {subnet}
  makes     2 instances and 2 groups with at most 4 ({instance_type}), 1 image with its snapshot,
            1 Elastic IP, 1 launch template, 1 alarm, 1 queue with a rule, 1 table, 1 function,
            3 state machines, 2 roles; their names begin with {name}, and all of them that can
            carry a tag have {tag}={name}
  changes   nothing that is there
  takes     about half an hour, up to three where something does not hold
  costs     less than $0.10 (seven small instances for minutes, a public address each; an estimate
            from the prices of us-east-1)
  removes   everything it made, also after a failure or Ctrl-C

"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, try, clean up, tell."""
    wanted = _arguments(arguments)
    session = boto3.Session(region_name=wanted.region)
    name = f"ovenbird-verify-{uuid.uuid4().hex[:8]}"
    try:
        caller = session.client("sts").get_caller_identity()
        account = Account(
            session,
            name,
            wanted.image or _image(session),
            wanted.subnet or _subnet(session),
            wanted.instance_type,
            wanted.pause,
        )
    except (BotoCoreError, ClientError, LookupError) as error:
        _tell(f"Nothing was made: {error}")
        return 2
    endpoint = session.client("ec2").meta.endpoint_url
    sys.stdout.write(
        ASKED.format(
            account=caller["Account"],
            caller=caller["Arn"],
            region=session.region_name,
            endpoint="" if endpoint.endswith("amazonaws.com") else f" at {endpoint}",
            subnet=account.subnet,
            instance_type=account.instance_type,
            name=name,
            tag=TAG,
        )
    )
    if not wanted.yes and not _agreed():
        _tell("Nothing was made.")
        return 2
    report = Report(_tell)
    owned = Belongings(_tell, pause=account.pause, patience=60 * account.pause)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _try_all(account, owned, report)
    except KeyboardInterrupt:
        _tell("Stopped; cleaning up first.")
    finally:
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, signal.SIG_IGN)
        left = owned.remove()
    sys.stdout.write(f"\n{report.table(ASSUMPTIONS)}\n\n")
    for each in left:
        _tell(f"COULD NOT BE REMOVED: {each}")
    if left:
        return 3
    held = [report.findings.get(each) for each in ASSUMPTIONS]
    return 0 if all(each and each.outcome is Outcome.HELD for each in held) else 1


def _try_all(account: Account, owned: Belongings, report: Report) -> None:
    """One after the other; what goes wrong in one leaves the others alone."""
    watch = template = None

    def prepare() -> None:
        nonlocal watch, template
        watch, template = Watch(account, owned), Template(account, owned)

    _try((), prepare, report)
    _try(
        statemachines.ASSUMPTIONS,
        lambda: statemachines.try_state_machines(account, owned, report),
        report,
    )
    if watch is None or template is None:
        report.give_up(ASSUMPTIONS, "its queue or its launch template could not be made")
        return
    _try_with(watch, template, account, owned, report)


def _try_with(
    watch: Watch, template: Template, account: Account, owned: Belongings, report: Report
) -> None:
    _try(
        refreshes.EMPTY_GROUP,
        lambda: refreshes.try_empty_group(account, owned, watch, template, report),
        report,
    )
    _try(
        machines.ASSUMPTIONS,
        lambda: machines.try_machines(account, owned, watch, report),
        report,
    )
    _try(
        refreshes.FEW_INSTANCES,
        lambda: refreshes.try_few_instances(account, owned, watch, template, report),
        report,
    )
    _try(events.ASSUMPTIONS, lambda: watch.judge(report), report)


def _try(shown: Sequence[Assumption], attempt: Callable[[], None], report: Report) -> None:
    try:
        attempt()
    except (BotoCoreError, ClientError, NotInTime) as error:
        _tell(f"gave up: {error}")
        report.give_up(shown, str(error))


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.aws", description="Try in AWS what docs/limits.md assumes."
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before it starts")
    parser.add_argument("--region", help="instead of the one of your environment")
    parser.add_argument("--subnet", help="instead of the first one of your default VPC")
    parser.add_argument("--image", help="instead of Amazon Linux 2023 for arm64")
    parser.add_argument("--instance-type", default="t4g.nano", help="of the image's architecture")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between two looks")
    return parser.parse_args(given)


def _image(session: boto3.Session) -> str:
    return str(session.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"])


def _subnet(session: boto3.Session) -> str:
    found = session.client("ec2").describe_subnets(
        Filters=[{"Name": "default-for-az", "Values": ["true"]}]
    )["Subnets"]
    if not found:
        raise LookupError("there is no default VPC; name a subnet with a way out by --subnet.")
    return str(found[0]["SubnetId"])


def _agreed() -> bool:
    try:
        return input("Go on? Type yes: ").strip() == "yes"
    except EOFError:
        return False


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(_number: int, _frame: FrameType | None) -> Any:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
