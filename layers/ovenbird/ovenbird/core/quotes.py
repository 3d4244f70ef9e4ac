"""What others wrote, as it stands in our sentences: short, on one line, without tricks.

A name in an event may be a megabyte long, nested a thousand deep, or hold characters that break a
log line, turn the writing direction of the rest, or cannot be encoded at all. Our sentences end up
in logs, notices and the payloads of a state machine.

In a notice they also must not pass for ours: a commit's message may read "Action required: sign in
at …". So what others wrote stands in lines of its own that begin with ``> `` (:func:`block`), its
links are broken up (:func:`defanged`), and of a revision a subject has only what looks like one
(:func:`label`).
"""

from __future__ import annotations

import json
import re
from typing import Any

LONGEST = 60

# Control characters, line separators, changes of the writing direction, halves of characters.
ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# What mail programs make links of: a scheme, or a host before a path or under a usual domain.
_SCHEME = re.compile(r":(?=[/\\]{2})|(?<=\bmailto):(?=\S)|(?<=\btel):(?=\S)", re.IGNORECASE)
_WWW = re.compile(r"(?<=\bwww)\.(?=\w)", re.IGNORECASE)
_HOST = re.compile(
    r"(?<=[A-Za-z0-9-])\.(?=[A-Za-z]{2,24}/\S)"
    r"|(?<=[A-Za-z0-9-])\.(?=(?:com|net|org|info|biz|io|dev|app|cloud|online|site|xyz|top|link|click"
    r"|page|me|co|ai|example)\b)",
    re.IGNORECASE,
)
_LINE_ENDS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]*")


def quoted(value: Any) -> str:
    """A value as JSON, at most 60 characters."""
    return plain(_beginning(value))


def plain(text: str, longest: int = LONGEST) -> str:
    """A text as it is, at most ``longest`` characters; odd characters are written ``\\u202e``."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return ODD.sub(lambda odd: f"\\u{ord(odd[0]):04x}", cut)


def prose(text: str) -> str:
    """A text of several lines as it is; odd characters but for line ends and tabs are taken out."""
    return "\n".join(ODD.sub("", line.replace("\t", "    ")) for line in text.split("\n"))


def defanged(text: str) -> str:
    """The text with its links broken up: ``https[:]//``, ``www[.]``; a person can still read them.

    Nothing in a notice of ours is a link, so this is done to all of it.
    """
    return _WWW.sub("[.]", _SCHEME.sub("[:]", text))


def block(text: str) -> list[str]:
    """What others wrote, as lines that begin with ``> ``; hosts without a scheme are broken up too.

    No line of it can be taken for one of ours; an empty text has no lines.
    """
    if not text.strip():
        return []
    lines = _LINE_ENDS.split(text.strip())
    return [f"> {_HOST.sub('[.]', defanged(prose(line)))}".rstrip() for line in lines]


def label(text: str, longest: int = 24) -> str:
    """A revision as far as it looks like one (``4f1c2d7``, ``v1.2-rc1``), else an empty text.

    Letters, digits and ``._+@-``, a slash as ``-``; a host's dots too: it is for a subject, where
    nothing can be marked as somebody else's.
    """
    plainer = text.replace("/", "-")
    if not _LABEL.fullmatch(plainer):
        return ""
    plainer = re.sub(r"\.(?=[A-Za-z]{2})", "-", plainer)
    return plainer if len(plainer) <= longest else plainer[: longest - 3] + "..."


def _beginning(value: Any) -> str:
    """JSON, written no further than it will be shown: the value may be deeper than our stack."""
    written = ""
    for part in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
        written += part[: LONGEST + 1]
        if len(written) > LONGEST:
            break
    return written
