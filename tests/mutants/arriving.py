"""What a roll may get wrong about traffic: new instances that nobody sends a request to (V)."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        "health-is-the-groups-word",
        "In the roll no balancer is asked, so it goes on past a new instance without traffic.",
        f"{LAYER}/arrivals.py",
        "if known.waiting or known.proven != len(new):",
        "if False:",
        ("stories/test_traffic.py",),
    ),
    Mutant(
        "first-batch-only",
        "Where AWS does not ask the balancers, nobody asks them about the second new instance.",
        f"{LAYER}/arrivals.py",
        "if not limits.held and known.proven < arrivals.MOST_WATCHED:",
        "if False:",
        ("stories/test_traffic.py",),
    ),
    Mutant(
        "unregistered-without-end",
        "An instance that no balancer knows is waited for as long as one that is checked.",
        f"{LAYER}/core/arrivals.py",
        "    if said.hopeless:\n        soon",
        "    if said.hopeless and limits.allowed < REGISTERED:\n        soon",
        ("unit/test_arrivals.py", "stories/test_traffic.py"),
    ),
    Mutant(
        "sick-without-end",
        "An instance that its balancers call unhealthy, and AWS does not mind, is never given up.",
        f"{LAYER}/core/arrivals.py",
        "return limits.allowed, limits.allowed + checking",
        "return limits.allowed, timedelta.max - checking",
        ("unit/test_arrivals.py", "stories/test_traffic.py"),
    ),
    Mutant(
        "done-without-traffic",
        "A rollout is a success although some instances get no traffic at its end.",
        f"{LAYER}/core/arrivals.py",
        "    new = {each.instance_id for each in serving} & set(census.on_target)\n"
        "    found = unwanted(opinions, new)\n",
        "    new = {each.instance_id for each in serving} & set(census.on_target)\n"
        "    found = unwanted((), new)\n",
        ("unit/test_arrivals.py", "stories/test_traffic.py"),
    ),
    Mutant(
        "done-with-too-few",
        "A rollout is a success although fewer instances are in service than the group wants.",
        f"{LAYER}/core/arrivals.py",
        "if not found and not sick and units >= group.desired:",
        "if not found and not sick:",
        ("unit/test_arrivals.py", "stories/test_traffic.py"),
    ),
    Mutant(
        "nobody-registers-and-it-is-planned",
        "A group that has suspended AddToLoadBalancer is rolled into nothing.",
        f"{LAYER}/core/traffic_refusals.py",
        "if REGISTERS in group.suspended and group.feeds_balancers:",
        "if False:",
        ("unit/test_traffic.py", "stories/test_traffic.py"),
    ),
    Mutant(
        "nobody-registers-since-the-plan",
        "A process AddToLoadBalancer that was suspended during the bake is found by the roll only.",
        f"{LAYER}/steps/roll_group.py",
        "if REGISTERS in group.suspended and group.feeds_balancers:",
        "if False:",
        ("stories/test_traffic.py",),
    ),
    Mutant(
        "nobody-registers-in-the-roll",
        "A process AddToLoadBalancer that is suspended in the roll is not looked at.",
        f"{LAYER}/arrivals.py",
        "if balancers and REGISTERS in group.suspended:",
        "if False:",
        ("stories/test_traffic.py",),
    ),
    Mutant(
        "blamed-for-its-balancer",
        "An image is marked bad because nobody registered its instances.",
        f"{LAYER}/core/arrivals.py",
        "excused=all(said.hopeless for _, said in late.values()),",
        "excused=False,",
        ("unit/test_arrivals.py",),
    ),
    Mutant(
        "nobodys-target-group-counts",
        "A target group that no load balancer uses holds up every roll until it is given up.",
        f"{LAYER}/core/traffic.py",
        'return "" if self.used else "no load balancer sends anything to it"',
        'return ""',
        ("unit/test_traffic.py",),
    ),
)
