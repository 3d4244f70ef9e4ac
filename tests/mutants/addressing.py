"""What moving Elastic IPs may get wrong: strangers robbed, moves believed, holders shared."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        "stranger-robbed",
        "An address of the pool is taken from an instance that is not the fleet's.",
        f"{LAYER}/core/addresses.py",
        "if _is_strangers(address, own, gone):",
        "if False:",
        ("stories/test_strangers.py",),
    ),
    Mutant(
        "stranger-robbed-in-between",
        "A move goes on although a stranger got the address since it was decided.",
        f"{LAYER}/steps/move_address.py",
        "if before != address:",
        "if False:",
        ("stories/test_strangers.py",),
    ),
    Mutant(
        "reassociation-left-to-aws",
        "AllowReassociation is left out, and AWS then takes an address from anybody.",
        f"{LAYER}/aws/ec2_addresses.py",
        "                AllowReassociation=take,\n",
        "",
        ("stories/test_happy_path.py",),
    ),
    Mutant(
        "no-read-back",
        "A move is believed without looking who holds the address then.",
        f"{LAYER}/steps/move_address.py",
        "if after.instance_id != instance:",
        "if False:",
        ("stories/test_moves.py",),
    ),
    Mutant(
        "claim-not-needed",
        "Two steps move the same address at the same time.",
        f"{LAYER}/steps/move_address.py",
        "if not claims.claim(address.allocation_id, instance, now):",
        "if not claims.claim(address.allocation_id, instance, now) and False:",
        ("stories/test_moves.py",),
    ),
    Mutant(
        "address-on-the-sick",
        "An address goes to an instance that its target group does not call healthy.",
        f"{LAYER}/core/addresses.py",
        "if member.in_service and (healthy is None or member.instance_id in healthy)",
        "if member.in_service",
        ("stories/test_addresses.py",),
    ),
    Mutant(
        "address-kept-by-the-sick",
        "An address stays with an instance of the fleet that is not healthy any more.",
        f"{LAYER}/core/addresses.py",
        "    if address.instance_id not in lasting:\n        return 0\n",
        "    if address.instance_id not in lasting:\n"
        "        return 2 if address.instance_id else 0\n",
        ("stories/test_moves.py",),
    ),
)
