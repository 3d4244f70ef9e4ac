"""Values in shell: whatever they contain, a shell and Run Command read them as they are."""

from __future__ import annotations

import re
import shlex


def quote(value: str) -> str:
    """A value as one shell word.

    ``{{`` is also taken apart, because Run Command replaces ``{{ssm:name}}`` inside parameters by
    a Parameter Store value before any shell sees it. Source: Systems Manager user guide, "Working
    with Parameter Store parameters in Run Command commands".
    """
    return re.sub(r"\{(?=\{)", "{''", shlex.quote(value))
