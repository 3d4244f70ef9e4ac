"""What the plan may let through, and what refusals of EC2 may be taken for (P, N)."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    # Refusals of EC2 (N).
    Mutant(
        "one-zone-only",
        "A zone without room fails the bake, though the next one has some.",
        f"{LAYER}/aws/ec2_instances.py",
        "if not codes.is_of_the_zone(name):",
        "if True:",
        ("stories/test_capacity.py", "stories/test_aws_refusals.py"),
    ),
    Mutant(
        "one-type-only",
        "A type that the account may not launch fails the bake, though the group has others.",
        f"{LAYER}/aws/ec2_instances.py",
        "if not codes.is_of_the_type(name):",
        "if True:",
        ("stories/test_aws_refusals.py", "stories/test_capacity.py"),
    ),
    Mutant(
        "throttled-is-a-quota",
        "A call that came too fast is told as a quota that is used up, and not repeated.",
        f"{LAYER}/aws/quotas.py",
        "return meaning(error) is None and codes.kind(code(error)) is Kind.QUOTA",
        'return codes.kind(code(error)) is Kind.QUOTA or code(error) == "RequestLimitExceeded"',
        ("unit/test_quotas.py",),
    ),
    Mutant(
        "organisation-is-a-permission",
        "What the organisation denies is told as a permission that a role lacks.",
        f"{LAYER}/core/codes.py",
        "if _ORGANISATION.search(words):",
        "if False:",
        ("unit/test_codes.py",),
    ),
    Mutant(
        "unknown-code-unnamed",
        "A code of AWS that nobody has heard of ends a step under no name of ours.",
        f"{LAYER}/aws/faults.py",
        "        known = meaning(error) or Declined\n",
        "        known = meaning(error)\n        if known is None:\n            raise\n",
        ("unit/test_faults.py", "stories/test_aws_refusals.py"),
    ),
    Mutant(
        "unknown-code-tried-for-ever",
        "A code of AWS that nobody has heard of is taken for one that passes.",
        f"{LAYER}/aws/faults.py",
        "known = meaning(error) or Declined",
        "known = meaning(error) or Unavailable",
        ("unit/test_faults.py", "stories/test_aws_refusals.py"),
    ),
    # The plan (P).
    Mutant(
        "units-are-instances",
        "The units of a group with weights are counted as instances.",
        f"{LAYER}/core/groups.py",
        "        if not self.weighted:\n            return self.desired\n",
        "        if True:\n            return self.desired\n",
        ("unit/test_weights.py",),
    ),
    Mutant(
        "doomed-group-planned",
        "A group that is being deleted is baked for, and rolled.",
        f"{LAYER}/core/refusals.py",
        "if group.leaving:",
        "if False:",
        ("unit/test_refusals.py", "stories/test_traffic.py"),
    ),
    Mutant(
        "busy-group-planned",
        "A group that somebody else refreshes is planned.",
        f"{LAYER}/core/refusals.py",
        "if refresh.active:",
        "if False:",
        ("unit/test_refusals.py",),
    ),
    Mutant(
        "architecture-not-compared",
        "An image of another architecture than the group's types is baked and rolled.",
        f"{LAYER}/steps/plan_rollout.py",
        "architectures = ec2_types.architectures(types) if other else {}",
        "architectures = ec2_types.architectures(types) if not types else {}",
        ("stories/test_builder_launch.py::test_what_a_plan_can_know_is_refused_by_the_plan",),
    ),
    Mutant(
        "disk-not-compared",
        "A base whose disk is larger than the template gives is baked, and cannot be launched.",
        f"{LAYER}/core/unbuildable.py",
        "if size and int(size) < disk.size and disk.size > today.get(disk.device, 0):",
        "if False:",
        ("unit/test_unbuildable.py",),
    ),
    Mutant(
        "template-of-two-fleets",
        "A fleet publishes into another fleet's template, which launches it then.",
        f"{LAYER}/core/refusals.py",
        '        elif owner != seen.fleet:\n            yield (\n                f"Launch template',
        '        elif False:\n            yield (\n                f"Launch template',
        ("unit/test_refusals.py", "stories/test_refusals.py"),
    ),
)
