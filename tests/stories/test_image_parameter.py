"""AWS looks at a published image only after it has taken it; what fails is told."""

from __future__ import annotations

import pytest

from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet

PARAMETER = "/ovenbird/fleets/web/image"


def published(web: Fleet, image: str) -> None:
    web.world.operator(
        "ssm",
        "PutParameter",
        Name=PARAMETER,
        Value=image,
        Type="String",
        DataType="aws:ec2:image",
        Overwrite=True,
    )
    web.world.run_for(seconds=5)


def about_the_image(web: Fleet) -> list[str]:
    return [each for each in web.world.notices if "image parameter was not written" in each]


def test_an_image_that_is_gone_is_told_with_what_the_parameter_still_holds() -> None:
    with a_fleet(size=1, addresses=0) as web:
        published(web, web.image)
        published(web, "ami-0123456789abcdef0")
        assert web.world.parameter(PARAMETER) == web.image
        (notice,) = about_the_image(web)
        assert "Unable to Describe Resource" in notice
        assert f"The parameter {PARAMETER} does not name the image that fleet web runs." in notice
        assert "The next rollout or roll-back writes the parameter again." in notice


def test_it_is_told_once_an_hour() -> None:
    with a_fleet(size=1, addresses=0) as web:
        for _ in range(3):
            published(web, "ami-0123456789abcdef0")
        assert len(about_the_image(web)) == 1
        web.world.run_for(hours=1)
        published(web, "ami-0123456789abcdef0")
        assert len(about_the_image(web)) == 2


def test_a_rollout_whose_image_aws_cannot_see_is_a_good_one_and_told() -> None:
    """The rollout is a good one: its instances run. Only the parameter has the image before."""
    with a_fleet(size=1, addresses=0) as web:
        published(web, web.image)
        web.world.cloud.ssm.parameters.fail_next_look()
        web.world.upload("two")
        web.world.finish()
        web.world.run_for(seconds=5)
        assert web.world.rollouts[-1].status == "SUCCEEDED"
        assert len(about_the_image(web)) == 1
        assert web.world.parameter(PARAMETER) == web.image


def test_a_good_image_is_no_news() -> None:
    with a_fleet(size=1, addresses=0) as web:
        published(web, web.image)
        assert web.world.parameter(PARAMETER) == web.image
        assert web.world.notices == []


@pytest.mark.parametrize("name", ["/ovenbird/fleets/web/base", "/acme/web/image"])
def test_image_parameters_of_others_are_not_ours(name: str) -> None:
    with a_fleet(size=1, addresses=0) as web:
        web.world.operator(
            "ssm",
            "PutParameter",
            Name=name,
            Value="ami-0123456789abcdef0",
            Type="String",
            DataType="aws:ec2:image",
        )
        web.world.run_for(seconds=5)
        assert web.world.notices == []
