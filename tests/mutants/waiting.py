"""What waiting and taking turns may get wrong: bells unheard, lanes ignored, the queue."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, ROLLOUT, Mutant

_BAKE = """\
      "Comment": "Until the builder, the command or the image rings; looks again after 5 minutes, later after longer ones.",
      "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
      "Parameters": {
        "TableName": "${TableName}",
        "Key": {"pk": {"S.$": "States.Format('doorbell#{}', $.bake.doorbell)"}},
        "UpdateExpression": "SET #token = :token",
        "ConditionExpression": "rings = :rings",
        "ExpressionAttributeNames": {"#token": "token"},
        "ExpressionAttributeValues": {":token": {"S.$": "$$.Task.Token"}, ":rings": {"N.$": "$.bake.rings"}}
"""  # noqa: E501

MUTANTS = (
    Mutant(
        "doorbell-without-its-condition",
        "What rings between the look and the wait is not heard until the sweep.",
        ROLLOUT,
        _BAKE,
        _BAKE.replace('        "ConditionExpression": "rings = :rings",\n', "").replace(
            ', ":rings": {"N.$": "$.bake.rings"}', ""
        ),
        ("stories/test_bells.py",),
    ),
    Mutant(
        "rings-counted-after-the-look",
        "The bell is read after the thing itself, so what changed in between is not heard.",
        f"{LAYER}/steps/bake_image.py",
        "            if decision.doorbell in rings:\n"
        "                return answers.wait(\n"
        '                    {"bake": told},\n'
        '                    "bake",\n'
        "                    decision.doorbell,\n"
        "                    rings[decision.doorbell],\n",
        "            if decision.doorbell:\n"
        "                return answers.wait(\n"
        '                    {"bake": told},\n'
        '                    "bake",\n'
        "                    decision.doorbell,\n"
        "                    doorbells.read(decision.doorbell),\n",
        ("stories/test_bells.py",),
    ),
    Mutant(
        "bell-rung-for-nobody",
        "An event rings the bell and wakes nobody: all waits end by their sweep.",
        f"{LAYER}/steps/ring_doorbell.py",
        "executions.complete(doorbells.ring(bell)) for bell in bells",
        'doorbells.ring(bell) and "rung" or "nobody" for bell in bells',
        ("stories/test_waits.py",),
    ),
    Mutant(
        "no-sweep",
        "A wait ends by its event only, and events get lost.",
        f"{LAYER}/core/looks.py",
        "return min(max(least, age / _OF_ITS_AGE), most)",
        "return timedelta(days=365)",
        ("stories/test_waits.py",),
    ),
    Mutant(
        "lane-not-taken",
        "A rollout begins while another one of the same fleet runs.",
        f"{LAYER}/ledger/lanes.py",
        "(#until < :now AND #holder <> :rollout)",
        "#until < :now OR #holder <> :rollout",
        ("stories/test_queue.py",),
    ),
    Mutant(
        "fence-ignored",
        "A rollout whose lane was taken by another one goes on writing.",
        f"{LAYER}/ledger/lanes.py",
        "if not _is_ours(claim, item):",
        "if False:",
        ("stories/test_lanes.py",),
    ),
    Mutant(
        "lease-not-renewed",
        "A rollout that begins to wait gets no more time than it had.",
        f"{LAYER}/ledger/lanes.py",
        '"SET #until = :until, #doorbell = :doorbell",',
        '"SET #doorbell = :doorbell, #renewed = :until",',
        ("unit/test_ledger.py",),
    ),
    Mutant(
        "lane-kept-by-a-release",
        "A rollout that succeeded does not give its lane back.",
        f"{LAYER}/steps/settle_rollout.py",
        '    turns.leave(fleet, rollout, plan["fence"])\n',
        "",
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "lane-kept-by-a-failure",
        "A rollout that failed does not give its lane back.",
        f"{LAYER}/leftovers.py",
        "    _leave_lane(case)  #",
        "    #",
        ("stories/test_bake_failures.py",),
    ),
    Mutant(
        "next-not-woken",
        "The rollout in the queue hears of the free lane by its hourly sweep only.",
        f"{LAYER}/turns.py",
        "    wake(lanes.release(fleet, rollout, fence))\n",
        "    lanes.release(fleet, rollout, fence)\n",
        ("stories/test_lanes.py",),
    ),
    Mutant(
        "oldest-wins",
        "Of the releases that wait, the oldest is rolled and the newest forgotten.",
        f"{LAYER}/ledger/lanes.py",
        "#queued_order < :order",
        "#queued_order > :order",
        ("stories/test_queue.py",),
    ),
    Mutant(
        "dead-holder-never-leaves",
        "A lane whose holder was stopped by hand is waited for.",
        f"{LAYER}/turns.py",
        "if holder is not None and holder.is_running:",
        "if True:",
        ("stories/test_lanes.py",),
    ),
    Mutant(
        "pause-ignored",
        "A paused fleet is rolled all the same.",
        f"{LAYER}/turns.py",
        'blocked = _paused(fleet) if pauses else ""',
        'blocked = ""',
        ("stories/test_queue.py",),
    ),
    Mutant(
        "stop-not-heard",
        "A rollout that a person stops goes on.",
        f"{LAYER}/ledger/lanes.py",
        'if item.get("stop_by"):',
        "if False:",
        ("stories/test_roll_back.py",),
    ),
    Mutant(
        "lease-not-prolonged",
        "Who wakes up after its lease goes on, and loses the lane in the middle of its turn.",
        f"{LAYER}/ledger/lanes.py",
        'if _is_ours(claim, item) and item["until"] < _epoch(now + TURN):',
        "if False:",
        (
            "stories/test_switches.py::test_one_that_slept_past_its_lease_writes_nothing_beside_the_next_one",
        ),
    ),
)
