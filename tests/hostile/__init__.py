"""Hostile input: every function, document and setting with everything that nobody should send."""
