"""Snapshots: what images are made of, and what costs money after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox.cloud.ec2 import filters
from sandbox.cloud.ec2.tags import Tags, as_list
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.pages import page
from sandbox.cloud.visibility import Visibility


@dataclass
class Snapshot:
    snapshot_id: str
    volume_id: str
    description: str
    started: datetime
    state: str = "completed"  # pending, completed, error
    size: int = 8  # GiB


class Snapshots:
    """``user_of`` says which image holds a snapshot, if any."""

    def __init__(self, kernel: Kernel, tags: Tags, visibility: Visibility) -> None:
        self._kernel, self._tags, self._visibility = kernel, tags, visibility
        self.all: dict[str, Snapshot] = {}
        self.user_of: Callable[[str], str | None] = lambda _: None
        tags.owner("snap", self.find)

    def make(
        self,
        volume_id: str,
        description: str,
        tags: dict[str, str],
        state: str = "completed",
        *,
        size: int = 8,
    ) -> Snapshot:
        snapshot = Snapshot(
            self._kernel.ids.resource("snap"),
            volume_id,
            description,
            self._kernel.now(),
            state,
            size,
        )
        self.all[snapshot.snapshot_id] = snapshot
        self._tags.put(snapshot.snapshot_id, tags)
        self._visibility.born(snapshot.snapshot_id)
        return snapshot

    def remove(self, snapshot_id: str) -> None:
        del self.all[snapshot_id]
        self._tags.forget(snapshot_id)

    def find(self, snapshot_id: str) -> Snapshot:
        if snapshot_id not in self.all or not self._visibility.sees(snapshot_id):
            raise AwsError(
                "InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist."
            )
        return self.all[snapshot_id]

    def operations(self) -> dict[str, Operation]:
        return {"DescribeSnapshots": self.describe, "DeleteSnapshot": self.delete}

    def delete(self, params: Parameters) -> Result:
        snapshot = self.find(params["SnapshotId"])
        if image_id := self.user_of(snapshot.snapshot_id):
            raise AwsError(
                "InvalidSnapshot.InUse",
                f"The snapshot {snapshot.snapshot_id} is currently in use by {image_id}",
            )
        self.remove(snapshot.snapshot_id)
        return {}

    def describe(self, params: Parameters) -> Result:
        ids = params.get("SnapshotIds")
        found = (
            [self.find(one) for one in ids]
            if ids
            else [one for one in self.all.values() if self._visibility.sees(one.snapshot_id)]
        )
        owners = params.get("OwnerIds")
        if owners and not {"self", self._kernel.account} & set(owners):
            found = []
        found = filters.chosen(
            params.get("Filters", ()),
            found,
            {
                "snapshot-id": lambda one: [one.snapshot_id],
                "volume-id": lambda one: [one.volume_id],
                "status": lambda one: [one.state],
                "description": lambda one: [one.description],
                "owner-id": lambda _: [self._kernel.account],
            },
            lambda one: self._tags.of(one.snapshot_id),
        )
        found, more = page(found, params)
        return {"Snapshots": [self._shown(one) for one in found], **more}

    def _shown(self, one: Snapshot) -> Result:
        return {
            "SnapshotId": one.snapshot_id,
            "VolumeId": one.volume_id,
            "VolumeSize": one.size,
            "State": one.state,
            "Progress": "100%" if one.state == "completed" else "0%",
            "StartTime": one.started,
            "Description": one.description,
            "Encrypted": False,
            "OwnerId": self._kernel.account,
            **as_list(self._tags.of(one.snapshot_id)),
        }
