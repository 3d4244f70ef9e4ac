"""What others wrote, as it stands in our sentences: short, on one line, without tricks.

A name in an event may be a megabyte long, nested a thousand deep, or hold characters that break a
log line, turn the writing direction of the rest, or cannot be encoded at all. Our sentences end up
in logs, notices and the payloads of a state machine.
"""

from __future__ import annotations

import json
import re
from typing import Any

LONGEST = 60

# Control characters, line separators, changes of the writing direction, halves of characters.
ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


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


def _beginning(value: Any) -> str:
    """JSON, written no further than it will be shown: the value may be deeper than our stack."""
    written = ""
    for part in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
        written += part[: LONGEST + 1]
        if len(written) > LONGEST:
            break
    return written
