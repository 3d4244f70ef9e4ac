"""As the stories: one process and one boto3 session, and other suites get a clean one."""

from __future__ import annotations

from tests.stories.conftest import _clean_session_afterwards

__all__ = ["_clean_session_afterwards"]
