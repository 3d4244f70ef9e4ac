"""EC2: instances, images and their snapshots, launch templates, addresses, and a network."""

from __future__ import annotations

from sandbox.cloud.ec2.service import Ec2

__all__ = ["Ec2"]
