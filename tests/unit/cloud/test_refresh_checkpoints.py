"""Checkpoints and bake time."""

from __future__ import annotations

from tests.unit.cloud.town import Town


def _percents(town: Town) -> list[tuple[str, str]]:
    return [
        (event["detail"]["CheckpointPercentage"], event["detail"]["CheckpointDelay"])
        for event in town.events("Checkpoint Reached")
    ]


def test_the_worked_example_of_the_user_guide() -> None:
    """10 instances, checkpoints 20 and 50, 15 minutes of delay, min 80: 2, 2, then only 1."""
    town = Town()
    town.make_group(10)
    town.refresh_to(
        2,
        MinHealthyPercentage=80,
        MaxHealthyPercentage=100,
        CheckpointPercentages=[20, 50],
        CheckpointDelay=900,
        InstanceWarmup=600,
    )
    began = town.now
    sizes: list[tuple[int, int]] = []  # (minute, instances of version 2)

    def note() -> bool:
        size = town.versions.get("2", 0)
        if not sizes or sizes[-1][1] != size:
            sizes.append((round((town.now - began).total_seconds() / 60), size))
        return not town.group.refreshes[0].is_active

    town.until(note, minutes=120)
    assert [size for _, size in sizes] == [0, 2, 4, 5]
    minutes = [minute for minute, _ in sizes]
    assert 25 <= minutes[2] <= 27  # ten minutes of warm-up and fifteen of delay, plus the boot
    assert 35 <= minutes[3] <= 39
    assert _percents(town) == [("20", "900"), ("50", "900")]
    assert (town.status, town.refresh["PercentageComplete"]) == ("Successful", 50)
    assert town.versions == {"1": 5, "2": 5}


def test_checkpoints_that_are_passed_together_count_as_the_last_of_them() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to(
        2,
        MinHealthyPercentage=50,
        MaxHealthyPercentage=100,
        CheckpointPercentages=[10, 40, 100],
        CheckpointDelay=300,
    )
    assert town.until_ended() == "Successful"
    assert _percents(town) == [("40", "300")]
    assert town.versions == {"2": 2}


def test_the_delay_is_an_hour_unless_it_is_named() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to(
        2, MinHealthyPercentage=50, MaxHealthyPercentage=100, CheckpointPercentages=[50, 100]
    )
    town.until(lambda: bool(_percents(town)))
    town.pass_minutes(59)
    assert town.versions == {"1": 1, "2": 1}
    town.pass_minutes(3)
    assert town.status == "Successful"
    assert _percents(town) == [("50", "3600")]


def test_a_checkpoint_of_100_percent_is_no_pause_and_sends_no_event() -> None:
    town = Town()
    town.make_group(1)
    town.refresh_to(
        2, MinHealthyPercentage=0, MaxHealthyPercentage=100, CheckpointPercentages=[100]
    )
    assert town.until_ended(minutes=5) == "Successful"
    assert _percents(town) == []


def test_a_checkpoint_is_reached_again_when_the_group_has_grown() -> None:
    town = Town()
    town.make_group(4)
    town.refresh_to(
        2,
        MinHealthyPercentage=50,
        MaxHealthyPercentage=100,
        CheckpointPercentages=[50, 100],
        CheckpointDelay=60,
        InstanceWarmup=120,
    )
    town.until(lambda: len(_percents(town)) == 1)
    town.asg("SetDesiredCapacity", DesiredCapacity=8)
    assert town.until_ended() == "Successful"
    assert _percents(town) == [("50", "60"), ("50", "60")]
    assert town.versions == {"2": 8}


def test_it_bakes_after_the_last_replacement() -> None:
    town = Town()
    town.make_group(1)
    town.refresh_to(2, MinHealthyPercentage=100, MaxHealthyPercentage=100, BakeTime=1200)
    town.until_status("Baking")
    assert town.refresh["PercentageComplete"] == 100
    assert town.group.saved.base["Version"] == "1"
    began = town.now
    assert town.until_ended() == "Successful"
    assert (town.now - began).total_seconds() >= 1200
    assert len(town.events("Instance Refresh Started Baking")) == 1
    assert town.group.saved.base["Version"] == "2"


def test_an_alarm_in_the_bake_time_rolls_back() -> None:
    town = Town()
    town.make_group(1)
    town.make_alarm("errors")
    town.refresh_to(
        2,
        MinHealthyPercentage=100,
        MaxHealthyPercentage=100,
        BakeTime=1200,
        AutoRollback=True,
        AlarmSpecification={"Alarms": ["errors"]},
    )
    town.until_status("Baking")
    town.set_alarm("errors", "ALARM")
    assert town.until_ended() == "RollbackSuccessful"
    assert town.versions == {"1": 1}
    assert town.least_serving == 1


def test_what_is_launched_first_is_cut_to_the_checkpoint_too() -> None:
    town = Town()
    town.make_group(10)
    town.refresh_to(
        2,
        MinHealthyPercentage=100,
        MaxHealthyPercentage=150,
        CheckpointPercentages=[20, 100],
        CheckpointDelay=600,
    )
    town.until(lambda: bool(_percents(town)))
    assert town.most_active == 12
    assert town.versions == {"1": 8, "2": 2}
    assert town.until_ended() == "Successful"


def test_a_scale_in_at_a_checkpoint_takes_what_is_still_to_be_replaced() -> None:
    town = Town()
    town.make_group(4, LaunchTemplate=town.version(2))
    town.refresh_to(
        1, MinHealthyPercentage=50, MaxHealthyPercentage=100, CheckpointPercentages=[50, 100]
    )
    town.until(lambda: bool(_percents(town)))
    town.asg("SetDesiredCapacity", DesiredCapacity=2)
    town.pass_minutes(5)
    assert town.versions == {"1": 2}
