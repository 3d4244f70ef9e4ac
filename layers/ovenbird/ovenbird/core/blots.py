"""Secrets in the output of scripts, blotted out before anything is stored, logged or sent.

A script that runs with ``set -x``, or a tool that repeats its arguments, writes passwords where
many people can read them: in the ledger, in notices, in the history of an execution. Two things are
found: values that the fleet document marks (:attr:`bake.secrets <ovenbird.fleet.BakeSettings>`),
and what looks like a secret to everybody: keys of AWS and of well-known services, private keys,
``password=…`` and its kin, credentials in headers and addresses. What looks like none stays; Run
Command itself keeps the output as it was, for thirty days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

BLOT = "***"
SHORTEST = 4  # a shorter value is in too many words to be told from them

# A value with or without quotes. Every repetition has a bound, so no output takes for ever, and
# ends with its line, or a prompt ("Password:") would take the script's last words away.
_VALUE = r"(?:\"(?:[^\"\\\n]|\\.){0,2000}\"?|'[^'\n]{0,2000}'?|[^\s\"'&]{1,2000})+"
_BEFORE, _AFTER = r"(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]{0,64}?", r"[A-Za-z0-9_]{0,64}[\"']?"
_NAME = (
    r"(?:pass(?:word|wd|phrase|code)|(?:db|my|pg|user|sql|admin)_?pwd|secret|token|credentials?"
    r"|(?:api|access|private|signing|encryption|auth|session|account|shared)[_-]?key"
    r"|connection[_-]?string|signature)"
)
_BEGIN = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----"
_END = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----"
_PATTERNS = [
    # Keys in PEM, also where the beginning or the end was cut off.
    (rf"{_BEGIN}(?:(?!\novenbird: )[\s\S]){{0,4000}}?{_END}", BLOT),
    (rf"{_BEGIN}(?:\n[A-Za-z0-9+/=]+(?=\n|\Z))*", BLOT),
    (rf"\A[A-Za-z0-9+/=\n]*{_END}", BLOT),
    # Credentials in an address: user:password@host.
    (r"(?<=://)[^\s/@'\"]{1,2000}(?=@)", BLOT),
    # Headers.
    (r"(?i)\b((?:proxy-)?authorization[ \t]{0,9}[:=][ \t]{0,9}[\"']?)[^\n\"']+", rf"\1{BLOT}"),
    (r"(?i)\b((?:set-)?cookie[ \t]{0,9}:[ \t]{0,9})[^\n\"']+", rf"\1{BLOT}"),
    (r"(?i)\b(bearer[ \t]{1,9})[A-Za-z0-9._~+/=-]{8,}", rf"\1{BLOT}"),
    # Tokens that tell by their beginning what they are.
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", BLOT),
    (r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}", BLOT),
    (
        r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[a-z]-|npm_|pypi-|dop_v1_|hf_)[A-Za-z0-9_-]{10,}",
        BLOT,
    ),
    (r"\b(?:[sr]k_(?:live|test)_|sk-(?:proj|ant)-)[A-Za-z0-9_-]{10,}|\bsk-[A-Za-z0-9]{32,}", BLOT),
    (r"\bAIza[A-Za-z0-9_-]{30,}", BLOT),
    # Options of programs: --password x, curl -u user:x, docker login -p x, mysql -px.
    (rf"(?i)(?<!\S)(--?[a-z0-9_-]{{0,64}}?{_NAME}{_AFTER}[ \t=]{{1,9}}){_VALUE}", rf"\1{BLOT}"),
    (
        r"(?<!\S)((?:-u|--user|--proxy-user)[ \t=]{0,9}[\"']?[^\s:\"']{1,200}:)[^\s\"']+",
        rf"\1{BLOT}",
    ),
    (rf"\b((?:login|sshpass)\b[^\n]{{0,300}}?[ \t]-p[ \t]{{0,9}}){_VALUE}", rf"\1{BLOT}"),
    (rf"\b(mysql\w{{0,20}}\b[^\n]{{0,300}}?[ \t]-p)(?=\S){_VALUE}", rf"\1{BLOT}"),
    # name=value, "name": value. With a colon a short word stays: "unexpected token: }".
    (
        rf"(?i)({_BEFORE}(?:{_NAME}{_AFTER}|pass)[ \t]{{0,9}}={{1,3}}>?[ \t]{{0,9}}){_VALUE}",
        rf"\1{BLOT}",
    ),
    (
        rf"(?i)(?<!unexpected )({_BEFORE}{_NAME}{_AFTER}[ \t]{{0,9}}:[ \t]{{0,9}})"
        rf"(?=[^\s\"']{{4}}|[\"']){_VALUE}",
        rf"\1{BLOT}",
    ),
]
_COMPILED = [(re.compile(pattern), blot) for pattern, blot in _PATTERNS]


def blotted(text: str, values: Iterable[str] = ()) -> str:
    """The text with ``***`` in place of secrets.

    Args:
        values: Secrets that are known, whatever they look like; those with fewer than four
            characters are passed over. The end of one at the beginning of the text, and the
            beginning of one at its end, are found too: the text may have been cut there.
    """
    known = sorted({value for value in values if len(value) >= SHORTEST}, key=len, reverse=True)
    for value in known:
        text = text.replace(value, BLOT)
        for part in value.split("\n"):
            if len(part) >= SHORTEST:
                text = text.replace(part, BLOT)
    for value in known:
        text = _without_part(text, value)
    for pattern, blot in _COMPILED:
        text = pattern.sub(blot, text)
    return text


def _without_part(text: str, value: str) -> str:
    for length in range(len(value) - 1, SHORTEST - 1, -1):
        if text.startswith(value[-length:]):
            text = BLOT + text[length:]
            break
    for length in range(len(value) - 1, SHORTEST - 1, -1):
        if text.endswith(value[:length]):
            text = text[:-length] + BLOT
            break
    return text
