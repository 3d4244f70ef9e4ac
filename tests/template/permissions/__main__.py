"""``python -m tests.template.permissions`` writes the tables of ``docs/permissions.md``."""

from __future__ import annotations

from tests.template.permissions.page import PAGE, with_tables

PAGE.write_text(with_tables(PAGE.read_text()))
