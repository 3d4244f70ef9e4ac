"""EC2 Auto Scaling: groups that keep their size, and instance refreshes that replace them."""

from __future__ import annotations

from sandbox.cloud.autoscaling.service import AutoScaling

__all__ = ["AutoScaling"]
