"""What people may not be told, or be told too often (W)."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        "passed-over-in-silence",
        "A push that a bad document costs is told to nobody.",
        f"{LAYER}/steps/accept_release.py",
        "        announcements.bad_document(each.name, each.mistakes, now, what)\n",
        "        pass\n",
        ("stories/test_bad_documents.py",),
    ),
    Mutant(
        "written-badly-in-silence",
        "A document that is written with mistakes is told to nobody until a push fails of it.",
        f"{LAYER}/steps/check_fleet.py",
        "told = announcements.bad_document(written.fleet, wrong.mistakes, now)",
        "told = False",
        ("stories/test_bad_documents.py",),
    ),
    Mutant(
        "nobodys-fleet-in-silence",
        "A request for a fleet that does not exist is told to nobody.",
        f"{LAYER}/steps/accept_release.py",
        "        announcements.refused_request(fleet, str(refusal), what, now)\n",
        "        pass\n",
        ("stories/test_bad_documents.py",),
    ),
    Mutant(
        "told-again-and-again",
        "Each push that a bad document costs sends a mail, a hundred in a burst.",
        f"{LAYER}/announcements.py",
        "    if not told.claim(what, digest, now):\n        return False\n",
        "",
        ("stories/test_bad_documents.py",),
    ),
    Mutant(
        "comes-back-in-silence",
        "A mistake that was corrected and made again is told to nobody.",
        f"{LAYER}/announcements.py",
        "        told.forget(_key(fleet, push))\n",
        "        pass\n",
        ("stories/test_bad_documents.py",),
    ),
    Mutant(
        "silenced-by-a-crash",
        "A function that is killed before its notice is sent has silenced it for a day.",
        f"{LAYER}/ledger/told.py",
        '"until": seconds + int(SENDING.total_seconds()),',
        '"until": seconds + int(FORGOTTEN.total_seconds()),',
        ("unit/test_told.py", "stories/test_bad_documents.py"),
    ),
    Mutant(
        "bad-document-holds-all-up",
        "A mistake in one fleet's document costs every other fleet its push.",
        f"{LAYER}/steps/accept_release.py",
        "    for fleet, release in audience.wanting:\n        rollout",
        "    for fleet, release in () if audience.bad else audience.wanting:\n        rollout",
        ("stories/test_bad_documents.py",),
    ),
)
