"""A push becomes a fleet on the new version; and the cases in which there is less to do."""

from __future__ import annotations

from tests.stories.story import a_fleet


def test_a_push_becomes_a_fleet_on_the_new_version() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        rollout = web.world.finish()

        assert rollout.status == "SUCCEEDED"
        assert rollout.visited[0] == "PlanRollout"
        assert rollout.visited[-2:] == ["SettleRollout", "RolloutDone"]
        assert web.revisions == {new: 4}
        assert web.versions == {web.saved_version: 4} == {"2": 4}

        (image,) = web.images
        tags = web.tags(image.image_id)
        assert tags["ovenbird:fleet"] == "web"
        assert tags["ovenbird:rollout"] == rollout.name
        assert tags["ovenbird:revision"] == new
        assert tags["ovenbird:base"] == web.image
        assert web.tags(image.snapshots[0])["ovenbird:fleet"] == "web"
        assert [builder.state for builder in web.builders] == ["terminated"]
        assert sorted(web.holders) == list(web.allocations)
        assert set(web.holders.values()) <= set(web.serving)

        assert web.world.parameter("/ovenbird/fleets/web/image") == image.image_id
        templates = web.world.operator(
            "ec2", "DescribeLaunchTemplates", LaunchTemplateIds=[web.template]
        )
        assert templates["LaunchTemplates"][0]["DefaultVersionNumber"] == 2
        (notice,) = web.world.notices
        assert new[:7] in notice
        ledger = web.world.ledger()
        assert ledger[f"rollout#{rollout.name}"]["result"] == {"S": "released"}
        assert ledger["fleet#web"]["images"] == {"L": [{"S": web.image}, {"S": image.image_id}]}


def test_a_rollout_is_cheap() -> None:
    """A wait costs three transitions however long it takes: the doorbell, not polling."""
    with a_fleet() as web:
        web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.transitions < 60
        assert len(rollout.history) < 400
        assert len(web.world.calls) < 500
