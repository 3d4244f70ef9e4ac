"""What strangers may get: code into a fleet, an execution's end, the sandbox (E, G, H)."""

from __future__ import annotations

from tests.mutants.mutant import LAYER, Mutant

MUTANTS = (
    # Who asks for what (E).
    Mutant(
        "a-request-for-everybody",
        "An event of ours that names no fleet releases every fleet.",
        f"{LAYER}/events/requested.py",
        'fleet=text(event, "detail.fleet"),',
        'fleet=at(event, "detail.fleet"),',
        ("attacks/test_requests.py",),
    ),
    Mutant(
        "document-of-the-request",
        "What a document forbids since the request came is released all the same.",
        f"{LAYER}/steps/plan_rollout.py",
        "    _check_brought(fleet, wish)\n",
        "",
        ("attacks/test_requests.py",),
    ),
    Mutant(
        "back-to-any-image",
        "A roll-back by hand runs any image of the account.",
        f"{LAYER}/steps/plan_rollout.py",
        "if unknown := plans.unknown_target(wish.image, ran):",
        'if unknown := "":',
        ("attacks/test_requests.py",),
    ),
    Mutant(
        "back-to-what-never-ran",
        "A roll-back by hand runs what was baked and never proved itself.",
        f"{LAYER}/steps/plan_rollout.py",
        "ran = tuple(dict.fromkeys([current.image_id, *past.ran]))",
        "ran = tuple(dict.fromkeys([current.image_id, *past.ran, *known]))",
        ("attacks/test_requests.py",),
    ),
    # Brakes (G).
    Mutant(
        "looks-are-free",
        "Looks cost nothing, and whoever rings all the time ends the rollout within minutes.",
        f"{LAYER}/core/looks.py",
        "FREE = 60\n",
        "FREE = 60_000\n",
        ("unit/test_looks.py", "attacks/test_brakes.py"),
    ),
    Mutant(
        "no-rest",
        "What a look costs is counted and never paid: the state machine does not rest.",
        f"{LAYER}/answers.py",
        'rest = {"rest_seconds": _seconds(again.rest)} if again.rest else {}',
        "rest: dict[str, int] = {}",
        ("attacks/test_brakes.py",),
    ),
    Mutant(
        "looks-without-end",
        "The history of an execution fills up, and the rollout ends without a word.",
        f"{LAYER}/core/looks.py",
        "if count > MOST:",
        "if False:",
        ("unit/test_looks.py", "attacks/test_brakes.py"),
    ),
    Mutant(
        "documents-for-ever",
        "Where the event of a change is lost, a document is never read again in a flood.",
        f"{LAYER}/catalogue.py",
        "if not timedelta() <= now - last.at < LASTS:",
        "if False:",
        ("attacks/test_floods.py",),
    ),
    Mutant(
        "a-change-not-heard",
        "A document that was written a moment ago wants no push, because the one before did not.",
        f"{LAYER}/catalogue.py",
        "return last.documents if ledger.changes(settings().parameters) == last.changes else None",
        "return last.documents",
        ("attacks/test_floods.py",),
    ),
    Mutant(
        "nothing-remembered",
        "Every object of a foreign bucket has all the documents read, until AWS throttles us.",
        f"{LAYER}/catalogue.py",
        "    if last is None or last.changes is None or last.is_cheap:\n",
        "    if True:\n",
        ("attacks/test_floods.py",),
    ),
    # The sandbox's lock (H).
    Mutant(
        "a-page-comes-in",
        "A web page that has a presigned link uses the sandbox.",
        "sandbox/lock.py",
        'if "origin" in names or request.method == "OPTIONS":',
        'if request.method == "OPTIONS":',
        ("sandbox/test_lock.py::test_not_even_a_good_signature_lets_a_page_in",),
    ),
    Mutant(
        "a-foreign-name-comes-in",
        "A page whose own name leads to this machine (DNS rebinding) uses the sandbox.",
        "sandbox/lock.py",
        'if request.headers.get("host", "").lower() not in own:',
        "if False:",
        ("sandbox/test_lock.py::test_a_name_that_leads_here_is_not_ours",),
    ),
    Mutant(
        "any-signature-will-do",
        "Whoever knows the key's id, which is no secret, gets in.",
        "sandbox/signatures.py",
        "if not hmac.compare_digest(made.encode(), told.encode()):",
        "if False:",
        ("unit/test_signatures.py",),
    ),
    Mutant(
        "another-body-is-let-in",
        "The body is not compared with the digest that was signed.",
        "sandbox/signatures.py",
        "elif _SHA256.fullmatch(self.payload) and _sha256(body) != self.payload:",
        "elif _SHA256.fullmatch(self.payload) and False:",
        ("unit/test_signatures.py",),
    ),
    Mutant(
        "a-machine-does-anything",
        "A release's script has all the rights of the person who started the sandbox.",
        "sandbox/lock.py",
        'if key.reads_s3_only and (signed.service != "s3" or request.method not in _READING):',
        "if False:",
        ("sandbox/test_lock.py::test_an_instance_reads_releases_and_does_nothing_else",),
    ),
)
