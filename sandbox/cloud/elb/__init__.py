"""Elastic Load Balancing's Classic Load Balancers, as far as a group feeds them."""

from __future__ import annotations

from sandbox.cloud.elb.service import Elb

__all__ = ["Elb"]
