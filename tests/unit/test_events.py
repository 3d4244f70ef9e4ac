"""Events: every sample of ours parses; everything else is ignored or refused with a reason."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ovenbird import events
from ovenbird.errors import BadEvent
from ovenbird.events import Alarmed, Ignored, Push, RollBackAsked, autoscaling, ssm

SAMPLES = Path(__file__).parents[2] / "events"
NOW = datetime(2026, 3, 2, 9, 30, 17, tzinfo=UTC)
HOME = ("eu-west-1", "111122223333")  # of the samples


def sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def changed(name: str, **changes: Any) -> dict[str, Any]:
    """The sample with other values at paths like ``detail/state``; ``None`` takes one away."""
    event = copy.deepcopy(sample(name))
    for path, value in changes.items():
        *outer, last = path.split("/")
        at = event
        for part in outer:
            at = at[part]
        if value is None:
            del at[last]
        else:
            at[last] = value
    return event


def pushed(event: dict[str, Any], now: datetime = NOW) -> Push:
    push = events.release(event, now, HOME)
    assert isinstance(push, Push)
    return push


class TestReleases:
    @pytest.mark.parametrize(
        "path", sorted(SAMPLES.glob("accept-release*.json")), ids=lambda path: path.stem
    )
    def test_every_sample_is_a_push(self, path: Path) -> None:
        push = pushed(json.loads(path.read_text(encoding="utf-8")))
        assert push.release.revision
        assert datetime.fromisoformat(push.release.at).utcoffset() == timedelta(0)
        assert events.Release.from_json(json.loads(json.dumps(push.release.to_json()))) == (
            push.release
        )
        assert push.dry_run == path.stem.endswith("dry-run")

    def test_a_roll_back(self) -> None:
        asked = events.release(sample("roll-back"), NOW, HOME)
        assert asked == RollBackAsked(
            fleet="web",
            image=None,
            reason="5xx since ten o'clock",
            at="2026-03-02T09:30:17+00:00",
            request="previous@2026-03-02T09:30Z",
        )

    def test_an_object_in_a_bucket_without_versions(self) -> None:
        event = changed("accept-release.s3", **{"detail/object/version-id": None})
        release = pushed(event).release
        assert release.id.endswith(f"@{event['detail']['object']['sequencer']}")
        assert release.version_id is None

    def test_the_same_content_again_is_another_push_with_the_same_digest(self) -> None:
        one = pushed(sample("accept-release.s3")).release
        other = pushed(changed("accept-release.s3", **{"detail/object/version-id": "v2"})).release
        assert one.id != other.id
        assert one.digest == other.digest

    def test_a_branch_that_comes_back_to_a_commit_is_another_push(self) -> None:
        one = pushed(sample("accept-release.codecommit")).release
        other = pushed(changed("accept-release.codecommit", time="2026-03-02T09:29:00Z")).release
        assert one.id != other.id
        assert one.digest == other.digest

    def test_times_are_told_in_utc(self) -> None:
        event = changed("accept-release.s3", time="2026-03-02T10:30:00+01:00")
        assert pushed(event).release.at == "2026-03-02T09:30:00+00:00"

    def test_a_build_without_an_artifact(self) -> None:
        event = changed(
            "accept-release.codebuild",
            **{
                "detail/additional-information/artifact": None,
                "detail/additional-information/source-version": None,
            },
        )
        release = pushed(event).release
        assert (release.bucket, release.key) == (None, None)
        assert release.digest == release.revision == "web:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"

    def test_an_artifact_as_an_object(self) -> None:
        artifact = {"bucket": "acme-releases", "key": "a", "version_id": "v"}
        event = changed("accept-release.requested", **{"detail/artifact": artifact})
        release = pushed(event).release
        assert (release.bucket, release.key, release.version_id) == ("acme-releases", "a", "v")

    def test_a_request_for_every_fleet_without_an_artifact(self) -> None:
        event = changed(
            "accept-release.requested", **{"detail/artifact": None, "detail/fleet": None}
        )
        push = pushed(event)
        assert (push.fleet, push.release.bucket) == (None, None)

    def test_by_hand_twice_in_a_minute_is_one_request(self) -> None:
        one = pushed(sample("accept-release")).release
        again = pushed(sample("accept-release"), NOW + timedelta(seconds=30)).release
        later = pushed(sample("accept-release"), NOW + timedelta(seconds=90)).release
        assert one.id == again.id != later.id
        assert one.digest == later.digest  # the revision names the content

    def test_by_hand_without_a_name_for_the_content_is_new_content(self) -> None:
        wish = {"fleet": "web", "release": {"bucket": "b", "key": "k"}}
        one = pushed(wish).release
        later = pushed(wish, NOW + timedelta(minutes=5)).release
        assert one.digest != later.digest

    @pytest.mark.parametrize(
        ("event", "reason"),
        [
            pytest.param(
                changed("accept-release.s3", **{"detail-type": "Object Deleted"}),
                "Object Deleted of S3 is no push",
                id="object deleted",
            ),
            pytest.param(
                changed("accept-release.s3", **{"replay-name": "yesterday"}),
                'it is from the replay "yesterday", not a new push',
                id="replay",
            ),
            pytest.param(
                changed("accept-release.codepipeline", **{"detail/state": "FAILED"}),
                "execution 8e3b5f7a-2c14-4d69-a0b8-6c7d8e9f0a1b of pipeline web is FAILED, "
                "not SUCCEEDED",
                id="failed pipeline",
            ),
            pytest.param(
                changed(
                    "accept-release.codepipeline",
                    **{"detail-type": "CodePipeline Stage Execution State Change"},
                ),
                "CodePipeline Stage Execution State Change is no push; "
                "the whole pipeline's success is",
                id="stage",
            ),
            pytest.param(
                changed("accept-release.codecommit", **{"detail/event": "referenceDeleted"}),
                "branch main of web was deleted",
                id="branch deleted",
            ),
            pytest.param(
                changed("accept-release.codecommit", **{"detail/referenceType": "tag"}),
                "main of web is a tag, not a branch",
                id="tag",
            ),
            pytest.param(
                changed("accept-release.codecommit", **{"detail-type": "Pull Request"}),
                "Pull Request is no push",
                id="pull request",
            ),
            pytest.param(
                changed("accept-release.codebuild", **{"detail/build-status": "STOPPED"}),
                "build web:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b is STOPPED, not SUCCEEDED",
                id="build stopped",
            ),
            pytest.param(
                changed(
                    "accept-release.codebuild", **{"detail-type": "CodeBuild Build Phase Change"}
                ),
                "CodeBuild Build Phase Change is no push; the whole build's success is",
                id="phase",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail/action-type": "DELETE"}),
                "DELETE in web is no push",
                id="container image deleted",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail/result": "FAILURE"}),
                "a push to web ended with FAILURE",
                id="failed push",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail/image-tag": ""}),
                "an image without a tag was pushed to web",
                id="no tag",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail-type": "ECR Image Scan"}),
                "ECR Image Scan is no push",
                id="scan",
            ),
            pytest.param(
                changed("accept-release.requested", **{"detail-type": "Hello"}),
                "Hello of ovenbird is no push",
                id="ours, but another",
            ),
            pytest.param(
                {"source": "aws.health"}, "events of aws.health are no releases", id="stranger"
            ),
        ],
    )
    def test_ignores(self, event: dict[str, Any], reason: str) -> None:
        assert events.release(event, NOW, HOME) == Ignored(reason)

    @pytest.mark.parametrize(
        ("event", "sentence"),
        [
            pytest.param({}, "fleet is null; it must be a text that is not empty.", id="empty"),
            pytest.param(
                {"fleet": "web"},
                "release is null; it must be an object with bucket and key, or revision.",
                id="no release",
            ),
            pytest.param(
                {"fleet": "web", "release": {}},
                "release has neither bucket and key nor revision; it must have one of them.",
                id="empty release",
            ),
            pytest.param(
                {"fleet": "web", "release": {"bucket": "b"}},
                "release has only one of bucket and key; it must have both or neither.",
                id="half a place",
            ),
            pytest.param(
                {"fleet": "web", "release": {"revision": 7}},
                "release.revision is 7; it must be a text that is not empty.",
                id="number",
            ),
            pytest.param(
                {"fleet": "web", "release": {"revision": "a"}, "dryrun": True},
                "dryrun is not known here; the payload may have: action, dry_run, fleet, release.",
                id="misspelt",
            ),
            pytest.param(
                {"fleet": "web", "release": {"revision": "a"}, "dry_run": "yes"},
                'dry_run is "yes"; it must be true or false.',
                id="dry run",
            ),
            pytest.param(
                {"action": "explode", "fleet": "web"},
                'action is "explode"; it must be "release" or "roll-back".',
                id="action",
            ),
            pytest.param(
                {"action": "roll-back", "fleet": "web", "image": "latest"},
                'image is "latest"; it must be an image id like ami-0123456789abcdef0.',
                id="image",
            ),
            pytest.param(
                changed("accept-release.s3", time="yesterday"),
                'time is "yesterday"; it must be a time like 2026-01-05T09:00:00Z.',
                id="time",
            ),
            pytest.param(
                changed("accept-release.s3", **{"detail/bucket": None}),
                "detail.bucket.name is null; it must be a text that is not empty.",
                id="no bucket",
            ),
            pytest.param(
                changed("accept-release.requested", **{"detail/artifact": "http://example.com"}),
                'detail.artifact is "http://example.com"; it must be s3://bucket/key, '
                "or an object with bucket, key and perhaps version_id.",
                id="artifact",
            ),
        ],
    )
    def test_refuses(self, event: dict[str, Any], sentence: str) -> None:
        with pytest.raises(BadEvent) as refused:
            events.release(event, NOW, HOME)
        assert str(refused.value) == sentence


class TestDoorbells:
    @pytest.mark.parametrize(
        "path",
        sorted(path for path in SAMPLES.glob("ring-doorbell*.json") if "pause" not in path.stem),
        ids=lambda path: path.stem,
    )
    def test_every_sample_rings_the_thing_that_it_is_about(self, path: Path) -> None:
        event = json.loads(path.read_text(encoding="utf-8"))
        rung = events.doorbells(event)
        assert not isinstance(rung, Ignored)
        assert [bell for bell in rung if bell not in json.dumps(event["detail"])] == []
        assert len(rung) == 1

    @pytest.mark.parametrize("name", ["move-address.launch", "move-address.terminate"])
    def test_launches_and_terminations_name_their_group(self, name: str) -> None:
        event = sample(name)
        assert autoscaling.group_of(event) == event["detail"]["AutoScalingGroupName"]
        assert events.doorbells(event) == (event["detail"]["EC2InstanceId"],)

    def test_a_pause_names_its_fleet(self) -> None:
        assert ssm.paused_fleet(sample("ring-doorbell.pause"), "/ovenbird/fleets") == "web"

    @pytest.mark.parametrize(
        "name",
        [
            "/ovenbird/fleets/web",
            "/ovenbird/fleets/web/image",
            "/ovenbird/fleets//paused",
            "/ovenbird/fleets/a/b/paused",
            "/other/web/paused",
            "paused",
        ],
    )
    def test_other_parameters_are_no_pause(self, name: str) -> None:
        event = changed("ring-doorbell.pause", **{"detail/name": name})
        assert ssm.paused_fleet(event, "/ovenbird/fleets") is None
        assert events.doorbells(event) == Ignored("nothing here waits for Parameter Store Change")

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            pytest.param("aws.ec2", "nothing here waits for Something", id="ec2"),
            pytest.param("aws.ssm", "nothing here waits for Something", id="ssm"),
            pytest.param("aws.autoscaling", "nothing here waits for Something", id="autoscaling"),
            pytest.param("aws.s3", "nothing here waits for events of aws.s3", id="stranger"),
        ],
    )
    def test_ignores(self, source: str, reason: str) -> None:
        event = {"source": source, "detail-type": "Something", "detail": {}}
        assert events.doorbells(event) == Ignored(reason)

    def test_refuses_an_event_without_its_thing(self) -> None:
        with pytest.raises(BadEvent, match=r"detail\.ImageId is null"):
            events.doorbells({"source": "aws.ec2", "detail-type": "EC2 AMI State Change"})


class TestAlarms:
    @pytest.mark.parametrize("name", ["answer-alarm.event", "answer-alarm.action"])
    def test_both_shapes(self, name: str) -> None:
        alarm = events.alarm(sample(name))
        assert isinstance(alarm, Alarmed)
        assert alarm.alarm == "web-5xx"
        assert alarm.reason

    @pytest.mark.parametrize(
        ("event", "reason"),
        [
            pytest.param(
                changed("answer-alarm.event", **{"detail/state/value": "OK"}),
                "alarm web-5xx is OK",
                id="ok",
            ),
            pytest.param(
                changed("answer-alarm.action", **{"alarmData/state/value": "INSUFFICIENT_DATA"}),
                "alarm web-5xx is INSUFFICIENT_DATA",
                id="insufficient data",
            ),
            pytest.param(
                changed("answer-alarm.event", **{"detail/state/actionsSuppressedBy": "Alarm"}),
                "the actions of alarm web-5xx are suppressed (Alarm)",
                id="suppressed",
            ),
            pytest.param(
                changed("answer-alarm.event", **{"detail/muteDetail": {"mutedByArn": "arn"}}),
                "alarm web-5xx is muted",
                id="muted",
            ),
            pytest.param(
                changed(
                    "answer-alarm.event",
                    **{"detail-type": "CloudWatch Alarm Configuration Change"},
                ),
                "CloudWatch Alarm Configuration Change is no change of an alarm's state",
                id="configuration",
            ),
        ],
    )
    def test_ignores(self, event: dict[str, Any], reason: str) -> None:
        assert events.alarm(event) == Ignored(reason)

    def test_refuses_what_is_no_alarm(self) -> None:
        with pytest.raises(BadEvent, match="neither detail nor alarmData"):
            events.alarm({"source": "aws.cloudwatch"})
