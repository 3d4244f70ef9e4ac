"""``make verify-aws``: tries in an account of yours what docs/limits.md assumes of AWS.

It is no part of ``make test``: it makes real resources. ``python -m tests.aws --help`` says how.
"""
