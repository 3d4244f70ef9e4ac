"""Elastic Load Balancing: target groups, the health of their targets, and what points at them."""

from __future__ import annotations

from sandbox.cloud.elbv2.service import Elbv2

__all__ = ["Elbv2"]
