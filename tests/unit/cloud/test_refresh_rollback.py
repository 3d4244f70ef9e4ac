"""Rolling a refresh back."""

from __future__ import annotations

import pytest

from tests.unit.cloud.town import Town, refused

FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 100}


def _half_way(town: Town, **preferences: object) -> None:
    town.refresh_to(2, **{**FIRST, **preferences})
    town.until(lambda: town.refresh["PercentageComplete"] == 50)


def test_a_rollback_restores_the_saved_configuration() -> None:
    town = Town()
    town.make_group(4)
    untouched = [m.instance_id for m in town.group.active]
    _half_way(town)
    untouched = [each for each in untouched if each in town.group.members]
    town.asg("RollbackInstanceRefresh")
    assert town.until_ended() == "RollbackSuccessful"
    assert town.versions == {"1": 4}
    assert town.least_serving == 4
    assert town.group.saved.base["Version"] == "1"
    still = [each for each in untouched if each in town.group.members]
    assert len(still) >= 2, "what was not updated yet need not be replaced"
    names = [e["detail-type"].removeprefix("EC2 Auto Scaling ") for e in town.events("")]
    refreshes = [name for name in names if name.startswith("Instance Refresh")]
    assert refreshes == [
        "Instance Refresh Started",
        "Instance Refresh Rollback Started",
        "Instance Refresh Rollback Succeeded",
    ]


def test_the_percentage_goes_back_to_zero() -> None:
    town = Town()
    town.make_group(4)
    _half_way(town)
    town.asg("RollbackInstanceRefresh")
    seen: list[int] = []

    def note() -> bool:
        seen.append(town.group.refreshes[0].percent)
        return not town.group.refreshes[0].is_active

    town.until(note)
    assert seen == sorted(seen, reverse=True)
    assert {50, 25, 0} <= set(seen)
    details = town.refresh["RollbackDetails"]
    assert details["PercentageCompleteOnRollback"] == 50
    assert details["InstancesToUpdateOnRollback"] == 2
    assert town.refresh["InstancesToUpdate"] == 2


def test_an_alarm_rolls_back_when_it_was_asked_to() -> None:
    town = Town()
    town.make_group(4)
    town.make_alarm("errors")
    _half_way(town, AutoRollback=True, AlarmSpecification={"Alarms": ["errors"]})
    town.set_alarm("errors", "ALARM")
    town.until_status("RollbackInProgress", minutes=1)
    assert town.until_ended() == "RollbackSuccessful"
    assert "errors" in town.refresh["RollbackDetails"]["RollbackReason"]
    assert town.versions == {"1": 4}
    assert town.least_serving == 4


def test_launches_during_a_rollback_use_the_saved_configuration() -> None:
    town = Town()
    town.make_group(4)
    _half_way(town, InstanceWarmup=60)
    town.asg("RollbackInstanceRefresh")
    new = town.versions["2"]
    town.asg("SetDesiredCapacity", DesiredCapacity=8)
    town.until(lambda: len(town.serving) >= 8)
    assert town.versions.get("2", 0) <= new
    assert town.until_ended() == "RollbackSuccessful"
    assert town.versions == {"1": 8}


def test_it_cannot_be_undone_without_a_desired_configuration() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to(None, **FIRST)
    with refused("IrreversibleInstanceRefresh", "no desired configuration"):
        town.asg("RollbackInstanceRefresh")


@pytest.mark.parametrize("alias", ["$Latest", "$Default"])
def test_it_cannot_be_undone_when_the_group_is_on_an_alias(alias: str) -> None:
    town = Town()
    town.make_group(2, LaunchTemplate=town.version(alias))
    with refused("ValidationError", "Latest or"):
        town.refresh_to(2, AutoRollback=True)
    town.refresh_to(2, **FIRST)
    with refused("IrreversibleInstanceRefresh", "Latest or"):
        town.asg("RollbackInstanceRefresh")


def test_it_cannot_be_undone_when_the_group_takes_its_image_from_a_parameter() -> None:
    town = Town()
    town.call("ssm", "PutParameter", Name="/image", Value=town.images[0], Type="String")
    town.publish("resolve:ssm:/image")
    town.make_group(2, LaunchTemplate=town.version(4))
    with refused("ValidationError", "Systems Manager"):
        town.refresh_to(2, AutoRollback=True)
    town.refresh_to(2, **FIRST)
    with refused("IrreversibleInstanceRefresh", "Systems Manager"):
        town.asg("RollbackInstanceRefresh")


def test_there_must_be_a_refresh_and_it_must_go_forward() -> None:
    town = Town()
    town.make_group(2)
    with refused("ActiveInstanceRefreshNotFound"):
        town.asg("RollbackInstanceRefresh")
    town.refresh_to(2, **FIRST)
    town.asg("RollbackInstanceRefresh")
    with refused("IrreversibleInstanceRefresh", "RollbackInProgress"):
        town.asg("RollbackInstanceRefresh")


def test_a_rollback_that_cannot_launch_fails_after_an_hour() -> None:
    town = Town()
    town.make_group(2)
    _half_way(town)
    town.call("ec2", "DeregisterImage", ImageId=town.images[0])
    town.asg("RollbackInstanceRefresh")
    assert town.until_ended() == "RollbackFailed"
    assert len(town.events("Rollback Failed")) == 1
    assert town.least_serving == 2
