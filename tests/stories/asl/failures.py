"""How a state fails: an error name for Retry and Catch, and a cause for people."""

from __future__ import annotations


class StateFailed(Exception):
    """A state ended with this error; Retry and Catch match on ``error``."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class BadDefinition(Exception):
    """The definition is wrong, or uses more of the language than this interpreter knows."""
