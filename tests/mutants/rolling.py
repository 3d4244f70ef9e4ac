"""What a roll and its undo may get wrong: capacity, versions, and whose refresh it is."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, ROLLOUT, Mutant

_CATCH = '"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "%s"}],'

MUTANTS = (
    Mutant(
        "plan-refuses-no-alias",
        "A group on $Latest is rolled although AWS can roll back to numbers only.",
        f"{LAYER}/core/refusals.py",
        "if not seen.roll.pin:",
        "if False:",
        ("stories/test_refusals.py",),
    ),
    Mutant(
        "stale-release-rolled",
        "A push that arrives a day late is rolled over a newer one.",
        f"{LAYER}/steps/plan_rollout.py",
        "if wish.order >= last:",
        "if True:",
        ("stories/test_queue.py",),
    ),
    Mutant(
        "rollout-named-at-random",
        "The same push told twice is two rollouts.",
        f"{LAYER}/core/releases.py",
        "{_hash(release.source, release.id)}",
        "{_hash(release.source, release.id, __import__('uuid').uuid4().hex)}",
        ("stories/test_queue.py",),
    ),
    Mutant(
        "version-token-at-random",
        "A template version is published with a new client token each time, so there are two.",
        f"{LAYER}/aws/ec2_templates.py",
        "            ClientToken=token,\n",
        "",
        ("stories/test_repetition.py",),
    ),
    Mutant(
        "default-version-too-early",
        "The template's default names the new version before it is known to be good.",
        f"{LAYER}/steps/publish_template.py",
        '    return number, f"{decision.reason} It is version {number}."',
        "    ec2_templates.make_default(source.template_id, number)\n"
        '    return number, f"{decision.reason} It is version {number}."',
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "settled-during-the-roll",
        "The rollout goes on at the first sign of its refresh, and calls itself good.",
        ROLLOUT,
        '"Next": "RollGroup"\n    },\n    "MoveAddress": {',
        '"Next": "MoveAddress"\n    },\n    "MoveAddress": {',
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "group-edited-before-the-refresh",
        "The group is edited first and refreshed then, so AWS has nothing to roll back to.",
        f"{LAYER}/aws/autoscaling_refreshes.py",
        '            answer = clients.get("autoscaling").start_instance_refresh(\n',
        '            clients.get("autoscaling").update_auto_scaling_group(\n'
        "                AutoScalingGroupName=group, **configuration\n"
        "            )\n"
        '            answer = clients.get("autoscaling").start_instance_refresh(\n',
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "size-written",
        "Pinning a group writes its desired size too, over what a scaling policy has just said.",
        f"{LAYER}/aws/autoscaling_groups.py",
        "AutoScalingGroupName=name, **configuration(group, versions)",
        "AutoScalingGroupName=name, DesiredCapacity=group.desired,"
        " **configuration(group, versions)",
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "surge-left-to-aws",
        "MaxHealthyPercentage is left out, so AWS terminates before it launches.",
        f"{LAYER}/core/preferences.py",
        '            "MaxHealthyPercentage": self.max_healthy_percent,\n',
        "",
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "lost-refresh-not-adopted",
        "A refresh whose start was answered to nobody is taken for somebody else's.",
        f"{LAYER}/core/rolls.py",
        "if each.refresh_id == progress.refresh or ours(each, self.versions, self.began)",
        "if each.refresh_id == progress.refresh",
        ("stories/test_faults.py::test_a_lost_answer_is_harmless",),
    ),
    Mutant(
        "old-refresh-adopted",
        "A refresh to the same version from before this rollout is taken for its own.",
        f"{LAYER}/core/refreshes.py",
        "return in_time and refresh.versions == dict(versions)",
        "return refresh.versions == dict(versions)",
        ("stories/test_roll_back.py",),
    ),
    Mutant(
        "foreign-refresh-fought",
        "The undo rolls somebody else's refresh back.",
        f"{LAYER}/core/undos.py",
        "if active not in forth:",
        "if False:",
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "rolled-back-is-good",
        "A refresh that AWS rolled back is taken for a success.",
        f"{LAYER}/core/rolls.py",
        '    if last.status != "Successful":\n',
        '    if last.status == "RollbackSuccessful":\n'
        '        return Done("It has ended.")\n'
        '    if last.status != "Successful":\n',
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "no-census",
        "A refresh that says Successful is believed, and nobody is counted.",
        f"{LAYER}/core/rolls.py",
        '    if census.complete:\n        return Done(f"Group {group.name}: {census}.")\n',
        '    if last.status == "Successful":\n'
        '        return Done(f"Group {group.name}: {census}.")\n',
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "stall-not-noticed",
        "A roll that makes no progress is waited for as long as AWS likes.",
        f"{LAYER}/core/rolls.py",
        'if refresh.status != "Baking" and progress.since and now - progress.since > allowed:',
        "if False:",
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "undo-not-called",
        "A roll that fails ends in Fail, and nobody brings the group back.",
        ROLLOUT,
        (_CATCH % "UndoRollout") + '\n      "Next": "AfterRoll"',
        (_CATCH % "RolloutFailed") + '\n      "Next": "AfterRoll"',
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "undo-leaves-it-to-aws",
        "The undo does not bring the group back where AWS itself does not.",
        f"{LAYER}/core/undos.py",
        '    return StartBack(f"On the way back, group {group.name}: {census}.")',
        '    return Done(f"On the way back, group {group.name}: {census}.")',
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "failure-ends-green",
        "A rollout that was undone ends as if it had succeeded.",
        ROLLOUT,
        '"Type": "Fail",\n'
        '      "Comment": "The release was not rolled, and the fleet is as it was before.",\n'
        '      "ErrorPath": "$.failure.Error",\n'
        '      "CausePath": "$.failure.Cause"\n',
        '"Type": "Succeed"\n',
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "good-news-not-sent",
        "Nobody is told of a release.",
        f"{LAYER}/steps/settle_rollout.py",
        "if not known.notified:",
        "if False:",
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "blamed-for-want-of-room",
        "An image that EC2 had no room for is marked bad, though it was never launched.",
        f"{LAYER}/core/launches.py",
        "if any(launch.was_a_chance for launch in launches):",
        "if True:",
        ("stories/test_roll_failures.py",),
    ),
    Mutant(
        "chance-before-the-roll",
        "What the old version launched before the roll counts as a chance of the new one.",
        f"{LAYER}/aws/autoscaling_activities.py",
        '{"Name": "StartTimeLowerBound", "Values": [since.isoformat()]},\n',
        "",
        ("stories/test_roll_failures.py", "unit/test_autoscaling.py"),
    ),
    Mutant(
        "bad-news-not-sent",
        "Nobody is told of a failure.",
        f"{LAYER}/leftovers.py",
        "    _notify(case, error, told, now, group_is_well=not verdict.failed)\n",
        "",
        ("stories/test_bake_failures.py",),
    ),
    Mutant(
        "edit-rolled-away",
        "A version that somebody gives the group while it is baked is rolled away without a word.",
        f"{LAYER}/steps/roll_group.py",
        "if version.isdigit() and template in before and version not in known:",
        "if False:",
        ("stories/test_others.py",),
    ),
)
