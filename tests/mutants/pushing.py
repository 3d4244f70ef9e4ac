"""What counts as a push, as content, and as a request that may come (S, I, E, W)."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    Mutant(
        "folder-released",
        "A folder that somebody makes in the console is a release.",
        f"{LAYER}/events/s3.py",
        'if key.endswith("/"):',
        "if False:",
        ("stories/test_pushes.py",),
    ),
    Mutant(
        "empty-object-released",
        "An object of no bytes is a release.",
        f"{LAYER}/events/s3.py",
        "if size == 0:",
        "if False:",
        ("stories/test_pushes.py",),
    ),
    Mutant(
        "label-taken-for-content",
        "What is released under the same label again is taken for the same content.",
        f"{LAYER}/core/contents.py",
        'return f"push:{identity}"',
        'return "push:" + identity.rpartition("@")[0]',
        ("unit/test_contents.py", "stories/test_labels.py"),
    ),
    Mutant(
        "any-artefact-brought",
        "Whoever may put an event on the bus chooses the code that the fleet runs.",
        f"{LAYER}/core/requests.py",
        '    place = f"s3://{bucket}/{key}"\n',
        '    return None\n    place = f"s3://{bucket}/{key}"\n',
        ("attacks/test_requests.py",),
    ),
    Mutant(
        "any-account-heard",
        "An event from another account releases a fleet.",
        f"{LAYER}/core/requests.py",
        "if sender != home and account not in wanted.events.accounts:",
        "if False:",
        ("attacks/test_requests.py",),
    ),
    Mutant(
        "field-twice-taken",
        "Of a field that stands twice in a document, the last one counts, without a word.",
        f"{LAYER}/mistakes.py",
        "if len(document) == len(pairs):",
        "if True:",
        ("unit/test_fleet.py",),
    ),
)
