"""Attackers: what somebody may try who has one right too many, and what becomes of it."""
