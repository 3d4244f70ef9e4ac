"""Systems Manager: Run Command and Parameter Store."""

from __future__ import annotations

from sandbox.cloud.ssm.service import Ssm

__all__ = ["Ssm"]
