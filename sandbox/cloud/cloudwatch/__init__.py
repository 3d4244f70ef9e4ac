"""CloudWatch alarms: their states, their events, and what an instance refresh reads of them."""

from __future__ import annotations

from sandbox.cloud.cloudwatch.service import CloudWatch

__all__ = ["CloudWatch"]
