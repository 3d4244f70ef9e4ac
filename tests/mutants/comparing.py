"""What comparing a state with the ledger, and undoing dead executions, may get wrong."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        "seals-not-compared",
        "A step believes a state that no step has answered.",
        f"{LAYER}/ledger/lanes.py",
        "if part := seals.broken(claim.carried, sealed):",
        "if False:",
        ("attacks/test_plan.py", "unit/test_ledger.py"),
    ),
    Mutant(
        "the-given-is-refused",
        "A step that was killed after its seal cannot be repeated with what it had.",
        f"{LAYER}/core/seals.py",
        "return (self.given, *others[-(MOST_ANSWERS - 1) :], self.answered)",
        "return (self.answered,)",
        ("unit/test_ledger.py", "attacks/test_plan.py"),
    ),
    Mutant(
        "anybody-plans",
        "An execution that was not accepted is planned and rolled.",
        f"{LAYER}/ledger/rollouts.py",
        'condition="#asked = :asked AND attribute_not_exists(#execution)",\n    )\n'
        "    return _rollout(rollout, written.item) "
        'if written.item.get("asked") == asked else None',
        'condition="attribute_not_exists(#execution) AND (attribute_not_exists(#asked) '
        'OR #asked = :asked OR #asked <> :asked)",\n    )\n'
        "    return _rollout(rollout, written.item)",
        ("attacks/test_names.py", "attacks/test_plan.py"),
    ),
    Mutant(
        "another-execution-runs-it",
        "The name of the execution is not compared with the rollout's id.",
        f"{LAYER}/events/rollout.py",
        'if name != event["rollout"]:',
        "if False:",
        ("hostile/test_states.py",),
    ),
    Mutant(
        "planned-twice",
        "A plan by hand replaces that of the rollout that runs.",
        f"{LAYER}/steps/plan_rollout.py",
        "    _refuse_planned_before(event, wish, turn)\n",
        "",
        ("attacks/test_plan.py",),
    ),
    Mutant(
        "undone-for-anybody",
        "Whoever knows a rollout's id has it undone.",
        f"{LAYER}/undoing.py",
        'if own and record.execution and record.execution != event["execution"]["began"]:',
        "if False:",
        ("attacks/test_ending.py",),
    ),
    Mutant(
        "undone-with-any-fence",
        "An undo with another fence takes the lane of the rollout that runs.",
        f"{LAYER}/undoing.py",
        "if fence is not None and fence != lane.fence:",
        "if False:",
        ("attacks/test_ending.py",),
    ),
    Mutant(
        "told-in-anybodys-words",
        "An undo tells people of an input that was never accepted.",
        f"{LAYER}/undoing.py",
        "if record.asked != _asked(event):",
        "if False:",
        ("attacks/test_ending.py",),
    ),
    Mutant(
        "ended-again",
        "A rollout that has ended is told of a second time.",
        f"{LAYER}/undoing.py",
        "if told or record.words != case.words:",
        "if False:",
        ("attacks/test_ending.py",),
    ),
    Mutant(
        "rolled-whose-ever",
        "A group that was given to another fleet after the plan is rolled.",
        f"{LAYER}/steps/roll_group.py",
        'if refusal := owners.refusal(f"Group {group.name}", group.tags, fleet.name):',
        'if refusal := "":',
        ("attacks/test_plan.py",),
    ),
    Mutant(
        "settled-in-the-middle",
        "A rollout is settled by hand while it rolls.",
        f"{LAYER}/steps/settle_rollout.py",
        '        _refuse_unrolled(group, plan["from"], event["version"]["targets"])\n',
        "",
        ("attacks/test_ending.py",),
    ),
    Mutant(
        "dead-and-nobody-looks",
        "What a stopped execution has left is not undone.",
        f"{LAYER}/steps/recover_rollout.py",
        "if not is_undo and recovery.undo(record, death, now):",
        "if False:",
        ("stories/test_recovery.py",),
    ),
    Mutant(
        "an-event-is-believed",
        "A forged event has a rollout undone that runs.",
        f"{LAYER}/steps/recover_rollout.py",
        "if execution.is_running:",
        "if False:",
        ("attacks/test_ending.py", "stories/test_recovery.py"),
    ),
    Mutant(
        "the-dead-keeps-its-lane",
        "The undo of a dead execution has no lane, and leaves the group as it is.",
        f"{LAYER}/recovery.py",
        "    lanes.hand_over(record.fleet, record.rollout, name, now)\n",
        "",
        ("stories/test_recovery.py",),
    ),
    Mutant(
        "undone-without-end",
        "An undo that dies is followed by another one, which dies too.",
        f"{LAYER}/steps/recover_rollout.py",
        "is_undo = ended.name != record.rollout",
        "is_undo = False",
        ("stories/test_recovery.py",),
    ),
)
