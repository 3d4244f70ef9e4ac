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
BRANCH_AND_TAG = ("codecommit", "codecommit-tag")


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
        "path",
        sorted(path for path in SAMPLES.glob("accept-release*.json") if "trial" not in path.stem),
        ids=lambda path: path.stem,
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
        assert release.revision == "web:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"
        assert release.digest == f"push:{release.revision}"

    def test_the_sum_of_a_build_is_its_content(self) -> None:
        one = pushed(sample("accept-release.codebuild")).release
        build = sample("accept-release.codebuild")["detail"]["build-id"]
        again = changed("accept-release.codebuild", **{"detail/build-id": build[:-1] + "0"})
        assert one.id != pushed(again).release.id
        assert one.digest == pushed(again).release.digest == f"sha256:{'9b1f' * 16}"

    def test_what_is_told_of_a_content_is_compared_with_the_download(self) -> None:
        build = pushed(sample("accept-release.codebuild")).release
        assert (build.sha256, build.size) == ("9b1f" * 16, None)
        upload = sample("accept-release.s3")
        told = pushed(upload).release
        assert told.size == upload["detail"]["object"]["size"]
        artifact = {"bucket": "acme-releases", "key": "a", "sha256": "AB" * 32}
        asked = pushed(changed("accept-release.requested", **{"detail/artifact": artifact})).release
        assert asked.sha256 == "ab" * 32
        assert asked.digest == f"sha256:{'ab' * 32}"

    @pytest.mark.parametrize(
        "told", ["", "6ccc2ae1df9d155ba83c597051611c42d60e09c6329dcb14EX", None]
    )
    def test_a_sum_of_a_build_that_is_none_says_nothing(self, told: str | None) -> None:
        path = "detail/additional-information/artifact/sha256sum"
        release = pushed(changed("accept-release.codebuild", **{path: told})).release
        assert release.sha256 is None
        assert release.digest == f"push:{release.id}"

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            pytest.param(
                {"detail/additional-information/initiator": "web-batch-role/AWSCodeBuild-1f2e3d"},
                "build web:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b was started by CodeBuild itself "
                "(web-batch-role/AWSCodeBuild-1f2e3d)",
                id="by its initiator",
            ),
            pytest.param(
                {
                    "detail/additional-information/build-batch-arn": (
                        "arn:aws:codebuild:eu-west-1:111122223333:build-batch/web:77"
                    )
                },
                "build web:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b is one of the batch web:77",
                id="by its batch",
            ),
            pytest.param(
                {"resources": ["arn:aws:codebuild:eu-west-1:111122223333:build-batch/web:77"]},
                "build web:1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b is one of the batch web:77",
                id="by the event's resources",
            ),
        ],
    )
    def test_a_build_of_a_batch_is_known(self, changes: dict[str, Any], told: str) -> None:
        assert pushed(changed("accept-release.codebuild", **changes)).names["batch"] == told

    @pytest.mark.parametrize(
        "initiator", ["codepipeline/web", "mary", "GitHub-Hookshot/1a2b3c4", "rule/nightly"]
    )
    def test_builds_that_somebody_else_started_are_of_no_batch(self, initiator: str) -> None:
        path = "detail/additional-information/initiator"
        assert "batch" not in pushed(changed("accept-release.codebuild", **{path: initiator})).names

    def test_a_whole_batch_is_no_part_of_itself(self) -> None:
        batch = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/web:77"
        event = changed("accept-release.codebuild", resources=[batch], **{"detail/build-id": batch})
        push = pushed(event)
        assert push.release.id == "web:77"
        assert "batch" not in push.names

    def test_a_git_tag_is_a_push_of_its_commit(self) -> None:
        branch, tag = (pushed(sample(f"accept-release.{each}")) for each in BRANCH_AND_TAG)
        assert tag.names == {"repository": "web", "tag": "v1.4.2"}
        assert tag.release.description == "tag v1.4.2 of web"
        assert tag.release.digest == branch.release.digest
        assert tag.release.id != branch.release.id

    def test_a_container_says_what_it_is(self) -> None:
        event = changed("accept-release.ecr", **{"detail/artifact-media-type": ""})
        assert pushed(event).names["media_type"] == event["detail"]["manifest-media-type"]
        assert pushed(sample("accept-release.ecr")).names["media_type"].endswith("config.v1+json")

    def test_a_pipeline_that_runs_again_is_another_content(self) -> None:
        one = pushed(sample("accept-release.codepipeline")).release
        other = pushed(changed("accept-release.codepipeline", **{"detail/execution-id": "2"}))
        assert one.digest != other.release.digest

    def test_a_moved_tag_is_another_content(self) -> None:
        one = pushed(sample("accept-release.ecr")).release
        moved = changed("accept-release.ecr", **{"detail/image-digest": f"sha256:{'0' * 64}"})
        assert one.digest != pushed(moved).release.digest

    @pytest.mark.parametrize("artifact", ["s3://acme-releases/web/main.tar.gz", None])
    def test_a_label_that_is_asked_for_again_is_another_content(self, artifact: str | None) -> None:
        asked = {"detail/revision": "main", "detail/artifact": artifact}
        one = pushed(changed("accept-release.requested", **asked)).release
        again = changed("accept-release.requested", time="2026-03-02T09:30:05Z", **asked)
        assert one.digest != pushed(again).release.digest

    @pytest.mark.parametrize("told", [{"version_id": "v1"}, {"etag": "e1"}])
    def test_what_was_hashed_is_the_same_content_when_it_is_asked_for_again(
        self, told: dict[str, str]
    ) -> None:
        artifact = {"bucket": "acme-releases", "key": "web/main.tar.gz"} | told
        asked = {"detail/revision": "main", "detail/artifact": artifact}
        one = pushed(changed("accept-release.requested", **asked)).release
        again = changed("accept-release.requested", time="2026-03-02T09:30:05Z", **asked)
        assert one.id != pushed(again).release.id
        assert one.digest == pushed(again).release.digest

    def test_an_artifact_as_an_object(self) -> None:
        artifact = {"bucket": "acme-releases", "key": "a", "version_id": "v"}
        event = changed("accept-release.requested", **{"detail/artifact": artifact})
        release = pushed(event).release
        assert (release.bucket, release.key, release.version_id) == ("acme-releases", "a", "v")

    def test_a_request_without_an_artifact(self) -> None:
        push = pushed(changed("accept-release.requested", **{"detail/artifact": None}))
        assert (push.fleet, push.release.bucket, push.sender) == ("web", None, HOME)

    def test_by_hand_twice_in_a_minute_is_one_request(self) -> None:
        one = pushed(sample("accept-release")).release
        again = pushed(sample("accept-release"), NOW + timedelta(seconds=30)).release
        later = pushed(sample("accept-release"), NOW + timedelta(seconds=90)).release
        assert one.id == again.id != later.id
        assert one.digest == again.digest != later.digest  # the revision is a label

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
                changed("accept-release.codecommit-tag", **{"detail/event": "referenceDeleted"}),
                "tag v1.4.2 of web was deleted",
                id="tag deleted",
            ),
            pytest.param(
                changed("accept-release.s3", **{"detail/object/key": "web/2026/"}),
                "s3://acme-releases/web/2026/ is a folder",
                id="folder",
            ),
            pytest.param(
                changed("accept-release.s3", **{"detail/object/size": 0}),
                "s3://acme-releases/web/4f1c2d7.tar.gz is empty",
                id="empty object",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail/image-tag": f"sha256-{'4c8e' * 16}.sig"}),
                f"web:sha256-{'4c8e' * 16}.sig belongs to another image (signature)",
                id="signature",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail/image-tag": f"sha256-{'4c8e' * 16}.att"}),
                f"web:sha256-{'4c8e' * 16}.att belongs to another image (attestation)",
                id="attestation",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail/image-tag": f"sha256-{'4c8e' * 16}.sbom"}),
                f"web:sha256-{'4c8e' * 16}.sbom belongs to another image (SBOM)",
                id="SBOM",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail/image-tag": f"sha256-{'4c8e' * 16}"}),
                f"web:sha256-{'4c8e' * 16} belongs to another image (list of what refers to it)",
                id="referrers",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail-type": "ECR Referrer Action"}),
                "ECR Referrer Action is no push",
                id="a referrer",
            ),
            pytest.param(
                changed("accept-release.ecr", **{"detail-type": "ECR Replication Action"}),
                "ECR Replication Action is no push",
                id="a replica",
            ),
            pytest.param(
                changed("accept-release.codecommit", **{"detail/referenceType": "note"}),
                "main of web is a note, neither a branch nor a tag",
                id="neither branch nor tag",
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
                "dryrun is not known here (did you mean dry_run?); "
                "the payload may have: action, dry_run, fleet, release.",
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
                "or an object with bucket, key and perhaps version_id, etag and sha256.",
                id="artifact",
            ),
            pytest.param(
                changed(
                    "accept-release.requested",
                    **{"detail/artifact": {"bucket": "b", "key": "k", "sha256": "4f1c2d7"}},
                ),
                'detail.artifact.sha256 is "4f1c2d7"; it must be 64 hexadecimal digits.',
                id="no sum",
            ),
            pytest.param(
                changed("accept-release.requested", **{"detail/fleet": None}),
                "detail.fleet is null; it must be a text that is not empty.",
                id="a request that names no fleet",
            ),
            pytest.param(
                changed("accept-release.s3", **{"detail/object/size": "5"}),
                'detail.object.size is "5"; it must be a number of bytes.',
                id="size",
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
        if path.stem.endswith("refresh-started"):  # whoever started it knows
            assert isinstance(rung, Ignored)
            return
        assert not isinstance(rung, Ignored)
        about = [bell.removeprefix("group-") for bell in rung]
        assert [each for each in about if each not in json.dumps(event["detail"])] == []
        assert len(rung) == (2 if "refresh" in path.stem else 1)

    @pytest.mark.parametrize("name", ["move-address.launch", "move-address.terminate"])
    def test_launches_and_terminations_name_their_group(self, name: str) -> None:
        event = sample(name)
        group = event["detail"]["AutoScalingGroupName"]
        assert autoscaling.group_of(event) == group
        rung = events.doorbells(event)
        assert isinstance(rung, Ignored) if "terminate" in name else rung == (f"group-{group}",)

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

    def test_an_image_that_was_not_taken_names_its_fleet(self) -> None:
        event = sample("check-fleet.image")
        assert ssm.unpublished_image(event, "/ovenbird/fleets") == ssm.Unpublished(
            "web", "Unable to Describe Resource"
        )

    @pytest.mark.parametrize(
        "name",
        ["/ovenbird/fleets/web", "/ovenbird/fleets/web/paused", "/other/web/image", "image"],
    )
    def test_what_else_was_not_taken_is_not_ours(self, name: str) -> None:
        event = changed("check-fleet.image", **{"detail/name": name})
        assert ssm.unpublished_image(event, "/ovenbird/fleets") is None

    @pytest.mark.parametrize("detail", [True, "exception", ["exception"]])
    def test_an_event_whose_detail_is_no_object_is_refused(self, detail: object) -> None:
        event = sample("check-fleet.image") | {"detail": detail}
        with pytest.raises(BadEvent, match=r"^detail is .*; it must be an object\.$"):
            ssm.unpublished_image(event, "/ovenbird/fleets")

    def test_an_image_that_was_taken_is_no_news(self) -> None:
        event = sample("check-fleet.image")
        del event["detail"]["exception"]
        assert ssm.unpublished_image(event, "/ovenbird/fleets") is None

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
