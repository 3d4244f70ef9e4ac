"""``python -m sandbox.demo``: four rollouts of the sample fleet, watched from beginning to end."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from sandbox import deployment, releases
from sandbox.demo import report
from sandbox.demo.director import Director, NothingHappened
from sandbox.demo.executions import Rollouts
from sandbox.demo.fleet_view import FleetView
from sandbox.demo.recording import Act, Show
from sandbox.demo.screen import Screen
from sandbox.demo.traffic import Traffic
from sandbox.deployment import ROOT, Deployed, DeployFailed
from sandbox.sandbox import SPEED, Sandbox


def main() -> int:
    """Play the show; the exit code says whether every act ended as promised."""
    parser = argparse.ArgumentParser(prog="sandbox.demo", description="Four rollouts of a fleet.")
    parser.add_argument("--speed", type=float, default=SPEED, help="how much faster than AWS")
    parser.add_argument("--report", type=Path, default=ROOT / "demo-report.html")
    chosen = parser.parse_args()
    show = Show(chosen.speed)
    with Screen(show) as screen:
        try:
            _play(show, screen)
        except (DeployFailed, NothingHappened) as failure:
            screen.say(f"[red]{failure}[/red]")
            return 1
        except KeyboardInterrupt:
            return 130
        screen.table()
    report.write(show, chosen.report)
    screen.say(f"The same as a picture: {chosen.report}")
    broken = [
        why for act, promised in zip(show.acts, PROMISES, strict=True) for why in promised(act)
    ]
    for why in broken:
        screen.say(f"[red]{why}[/red]")
    return 1 if broken else 0


def _play(show: Show, screen: Screen) -> None:
    with ExitStack() as stack:
        screen.say("Building with sam, and starting AWS on this machine …")
        threads = stack.enter_context(ThreadPoolExecutor(1))
        built = threads.submit(deployment.build)
        sandbox = stack.enter_context(Sandbox(speed=show.speed, port=0, fleet=False))
        built.result()
        screen.say(f"Deploying with sam to {sandbox.endpoint}, and making a fleet of four there …")
        made = threads.submit(sandbox.make_fleet)
        deployed = deployment.deploy(sandbox)
        fleet = made.result()
        traffic = Traffic(sandbox.balancer_url, sandbox.addresses)
        traffic.start()
        stack.callback(traffic.stop)
        view = FleetView(sandbox.cloud.look, fleet.name, "version 1")
        rollouts = Rollouts(sandbox.client("stepfunctions"), deployed.state_machine_arn)
        director = Director(sandbox, show, screen, traffic, view, rollouts)
        for title, promise, do in _script(sandbox, fleet.bucket, deployed, view):
            director.play(Act(title, promise, time.monotonic()), do)
        for _, where, what in traffic.losses():
            screen.say(f"[yellow]lost at {where}: {what} (a move cuts what is connected)[/yellow]")


def _script(
    sandbox: Sandbox, bucket: str, deployed: Deployed, view: FleetView
) -> list[tuple[str, str, Callable[[], None]]]:
    s3, functions = sandbox.client("s3"), sandbox.client("lambda")

    def upload(version: str) -> None:
        put = s3.put_object(
            Bucket=bucket,
            Key=f"web/web-{version}.tar.gz",
            Body=releases.build_artifact(version),
        )
        view.labels[put["ETag"].strip('"')] = f"version {version}"

    def roll_back() -> None:
        functions.invoke(
            FunctionName=deployed.functions["AcceptRelease"],
            InvocationType="Event",
            Payload=json.dumps(json.loads((ROOT / "events/roll-back.json").read_text())),
        )

    return [
        (
            "1. A push",
            "version 2 is uploaded: bake, publish, roll, and the addresses follow.",
            lambda: upload("2"),
        ),
        (
            "2. A bad push",
            "version 3 fails its health check on the fleet: the roll is undone by itself.",
            lambda: upload(releases.BAD),
        ),
        (
            "3. The same push again",
            "version 2 once more: its image is known, nothing is baked.",
            lambda: upload("2"),
        ),
        (
            "4. A roll-back by hand",
            "events/roll-back.json: back to version 1, without a bake.",
            roll_back,
        ),
    ]


def _expect(version: str, *, succeeded: bool, bakes: bool) -> Callable[[Act], list[str]]:
    def broken(act: Act) -> list[str]:
        runs = {seen.version for seen in act.moments[-1].instances}
        balancer, _ = act.served()
        checks = {
            f"it should {'succeed' if succeeded else 'fail'}, and did not": (
                act.succeeded is succeeded
            ),
            f"it should end on {version}, and the fleet runs {sorted(runs)}": runs == {version},
            f"it should {'bake' if bakes else 'not bake'}": act.baked is bakes,
            f"the balancer lost {balancer.lost} requests": balancer.lost == 0,
        }
        return [f"{act.title}: {why}." for why, holds in checks.items() if not holds]

    return broken


PROMISES = (
    _expect("version 2", succeeded=True, bakes=True),
    _expect("version 2", succeeded=False, bakes=True),
    _expect("version 2", succeeded=True, bakes=False),
    _expect("version 1", succeeded=True, bakes=False),
)


if __name__ == "__main__":
    sys.exit(main())
