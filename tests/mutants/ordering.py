"""What the order of requests, and what they say of themselves, may get wrong (T, D)."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        "ties-without-a-number",
        "Two pushes of one second have the same order, so each displaces the other.",
        f"{LAYER}/core/orders.py",
        "{number:012d}",
        "{0:012d}",
        ("unit/test_orders.py", "stories/test_queue.py"),
    ),
    Mutant(
        "sequencer-unread",
        "An older upload of an object, whose event comes later, displaces the newer one.",
        f"{LAYER}/core/orders.py",
        "if one.sequence and other.sequence:",
        "if False:",
        ("unit/test_orders.py", "stories/test_queue.py"),
    ),
    Mutant(
        "order-from-a-clock-ahead",
        "A sender whose clock is ahead wins over everything that comes until then.",
        f"{LAYER}/core/orders.py",
        "told = min(datetime.fromisoformat(at), now)",
        "told = datetime.fromisoformat(at)",
        ("unit/test_orders.py", "stories/test_queue.py"),
    ),
    Mutant(
        "acceptance-written-anew",
        "A push that is told twice gets another place in the order.",
        f"{LAYER}/ledger/orders.py",
        '        condition="attribute_not_exists(#order)",\n',
        "",
        ("unit/test_orders.py",),
    ),
    Mutant(
        "order-not-in-the-digest",
        "Whoever may start executions chooses their place in the order.",
        f"{LAYER}/core/orders.py",
        '"reason", "at", "order", "dry_run")',
        '"reason", "at", "dry_run")',
        ("unit/test_orders.py",),
    ),
    Mutant(
        "another-input-under-a-name",
        "An execution that a stranger has started passes for the release of its name.",
        f"{LAYER}/steps/accept_release.py",
        "if orders.digest(executions.asked(rollout)) != orders.digest(wish):",
        "if False:",
        ("stories/test_queue.py",),
    ),
)
