"""Which pushes a fleet wants, and why the others are none of its releases."""

from __future__ import annotations

import pytest

from ovenbird.core import sources
from ovenbird.core.sources import (
    BuildSource,
    CommitSource,
    ContainerSource,
    PipelineSource,
    S3Source,
    Source,
)

HELM = "application/vnd.cncf.helm.config.v1+json"
CACHE = "application/vnd.buildkit.cacheconfig.v0"
BATCH = "build web:2 is one of the batch web:1"
OBJECT = S3Source("b", "web/*", ("*.sha256", "web/draft/*"))
COMMIT = CommitSource("acme-*", "release/*", "v?.*", ("*-rc*",))
IMAGE = ContainerSource("acme/*", "v*", exclude=("*-dev",))
ANY_IMAGE = ContainerSource("web")
BUILD = BuildSource("web", "*/web.zip", exclude=("*/tests/*",))


@pytest.mark.parametrize(
    ("source", "kind", "names"),
    [
        pytest.param(OBJECT, "s3", {"bucket": "b", "key": "web/1.zip"}, id="object"),
        pytest.param(OBJECT, "s3", {"bucket": "b", "key": "web/a/1.zip"}, id="deeper"),
        pytest.param(PipelineSource("web"), "codepipeline", {"pipeline": "web"}, id="pipeline"),
        pytest.param(
            PipelineSource("web-*"), "codepipeline", {"pipeline": "web-eu"}, id="one of several"
        ),
        pytest.param(
            COMMIT, "codecommit", {"repository": "acme-web", "branch": "release/7"}, id="branch"
        ),
        pytest.param(COMMIT, "codecommit", {"repository": "acme-web", "tag": "v1.0"}, id="tag"),
        pytest.param(
            CommitSource("web", tag="*"), "codecommit", {"repository": "web", "tag": "x"}, id="tags"
        ),
        pytest.param(
            BUILD, "codebuild", {"project": "web", "key": "1/web.zip"}, id="build by its artefact"
        ),
        pytest.param(BuildSource("web"), "codebuild", {"project": "web"}, id="without artefact"),
        pytest.param(
            BuildSource("web", batch=True),
            "codebuild",
            {"project": "web", "batch": BATCH},
            id="of a batch, where that counts",
        ),
        pytest.param(IMAGE, "ecr", {"repository": "acme/web", "tag": "v1"}, id="container"),
        pytest.param(ANY_IMAGE, "ecr", {"repository": "web", "tag": "x"}, id="any tag"),
        *(
            pytest.param(
                ANY_IMAGE, "ecr", {"repository": "web", "tag": "x", "media_type": each}, id=each
            )
            for each in sources.CONTAINERS
        ),
        pytest.param(
            ContainerSource("web", media_type="application/vnd.cncf.helm.*"),
            "ecr",
            {"repository": "web", "tag": "x", "media_type": HELM},
            id="charts, where they are the releases",
        ),
    ],
)
def test_wants(source: Source, kind: str, names: dict[str, str]) -> None:
    assert sources.against(source, kind, names) is None


@pytest.mark.parametrize(
    ("source", "kind", "names", "reason"),
    [
        pytest.param(
            OBJECT,
            "s3",
            {"bucket": "c", "key": "web/1.zip"},
            'its bucket is "c", not a bucket like "b" (release.s3.bucket)',
            id="bucket",
        ),
        pytest.param(
            OBJECT,
            "s3",
            {"bucket": "b", "key": "x/web/1.zip"},
            'its key is "x/web/1.zip", not a key like "web/*" (release.s3.key)',
            id="key",
        ),
        pytest.param(
            OBJECT,
            "s3",
            {"bucket": "b", "key": "web/1.zip.sha256"},
            'release.s3.exclude leaves its key "web/1.zip.sha256" out, by "*.sha256"',
            id="a checksum",
        ),
        pytest.param(
            OBJECT,
            "s3",
            {"bucket": "b", "key": "web/draft/1.zip"},
            'release.s3.exclude leaves its key "web/draft/1.zip" out, by "web/draft/*"',
            id="what the owner leaves out",
        ),
        pytest.param(
            PipelineSource("web-*", ("*-test",)),
            "codepipeline",
            {"pipeline": "web-test"},
            'release.codepipeline.exclude leaves its pipeline "web-test" out, by "*-test"',
            id="pipeline",
        ),
        pytest.param(
            COMMIT,
            "codecommit",
            {"repository": "acme-web", "branch": "main"},
            'its branch is "main", not a branch like "release/*" (release.codecommit.branch)',
            id="branch",
        ),
        pytest.param(
            COMMIT,
            "codecommit",
            {"repository": "acme-web", "tag": "v1.0-rc1"},
            'release.codecommit.exclude leaves its tag "v1.0-rc1" out, by "*-rc*"',
            id="a candidate",
        ),
        pytest.param(
            CommitSource("web", "main"),
            "codecommit",
            {"repository": "web", "tag": "main"},
            'it is the tag "main", and release.codecommit names no tag',
            id="a tag called like the branch",
        ),
        pytest.param(
            CommitSource("web", tag="v*"),
            "codecommit",
            {"repository": "web", "branch": "v2"},
            'it is the branch "v2", and release.codecommit names no branch',
            id="a branch called like a tag",
        ),
        pytest.param(
            BUILD,
            "codebuild",
            {"project": "web"},
            'it has no key like "*/web.zip" (release.codebuild.key)',
            id="build without an artefact",
        ),
        pytest.param(
            BUILD,
            "codebuild",
            {"project": "web", "key": "1/tests/web.zip"},
            'release.codebuild.exclude leaves its key "1/tests/web.zip" out, by "*/tests/*"',
            id="the tests' artefact",
        ),
        pytest.param(
            BuildSource("web"),
            "codebuild",
            {"project": "web", "batch": BATCH},
            f"{BATCH}; release.codebuild.batch lets such builds count",
            id="batch",
        ),
        pytest.param(
            IMAGE,
            "ecr",
            {"repository": "acme/web", "tag": "v1-dev"},
            'release.ecr.exclude leaves its tag "v1-dev" out, by "*-dev"',
            id="tag",
        ),
        pytest.param(
            ANY_IMAGE,
            "ecr",
            {"repository": "web", "tag": "1.0", "media_type": HELM},
            f'it is no container image but "{HELM}"; release.ecr.media_type can name it',
            id="chart",
        ),
        pytest.param(
            ANY_IMAGE,
            "ecr",
            {"repository": "web", "tag": "cache", "media_type": CACHE},
            f'it is no container image but "{CACHE}"; release.ecr.media_type can name it',
            id="build cache",
        ),
        pytest.param(
            ContainerSource("web", media_type="application/vnd.acme.*"),
            "ecr",
            {"repository": "web", "tag": "x"},
            'it has no media_type like "application/vnd.acme.*" (release.ecr.media_type)',
            id="no media type where one is asked for",
        ),
    ],
)
def test_does_not_want(source: Source, kind: str, names: dict[str, str], reason: str) -> None:
    assert sources.against(source, kind, names) == reason
