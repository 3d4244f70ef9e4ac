"""Parameter Store. The rules are those of the SSM API reference."""

from __future__ import annotations

import pytest

from tests.unit.cloud.account import Account, refused


def _put(account: Account, name: str, value: str = "1", **params: bool) -> None:
    account.ssm("PutParameter", Name=name, Value=value, Type="String", **params)


def test_a_parameter_is_overwritten_only_when_asked(account: Account) -> None:
    _put(account, "/a/b")
    with refused("ParameterAlreadyExists"):
        _put(account, "/a/b", "2")
    _put(account, "/a/b", "2", Overwrite=True)
    assert account.ssm("GetParameter", Name="/a/b")["Parameter"]["Value"] == "2"
    assert account.ssm("GetParameter", Name="/a/b:1")["Parameter"]["Value"] == "1"
    with refused("ParameterVersionNotFound"):
        account.ssm("GetParameter", Name="/a/b:3")


def test_every_change_is_told_without_the_value(account: Account) -> None:
    _put(account, "/a/b")
    _put(account, "/a/b", "2", Overwrite=True)
    account.ssm("DeleteParameter", Name="/a/b")
    account.run_for(seconds=5)
    assert account.events("Parameter Store Change") == [
        {"operation": operation, "name": "/a/b", "type": "String"}
        for operation in ("Create", "Update", "Delete")
    ]
    with refused("ParameterNotFound"):
        account.ssm("GetParameter", Name="/a/b")


def test_a_path_comes_in_pages_of_ten(account: Account) -> None:
    for number in range(12):
        _put(account, f"/fleets/f{number:02d}")
    _put(account, "/fleets/f00/paused")
    first = account.ssm("GetParametersByPath", Path="/fleets")
    assert len(first["Parameters"]) == 10
    second = account.ssm("GetParametersByPath", Path="/fleets", NextToken=first["NextToken"])
    assert [one["Name"] for one in second["Parameters"]] == ["/fleets/f10", "/fleets/f11"]
    below = account.ssm("GetParametersByPath", Path="/fleets/f00", Recursive=True)
    assert [one["Name"] for one in below["Parameters"]] == ["/fleets/f00/paused"]


def test_missing_names_are_listed(account: Account) -> None:
    _put(account, "/a/b")
    answer = account.ssm("GetParameters", Names=["/a/b", "/a/c"])
    assert [one["Name"] for one in answer["Parameters"]] == ["/a/b"]
    assert answer["InvalidParameters"] == ["/a/c"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("/aws/service/x", "AccessDeniedException", id="reserved"),
        pytest.param("a/b", "ValidationException", id="path without a root"),
        pytest.param("/a b", "ValidationException", id="a space"),
        pytest.param("/a" * 16, "HierarchyLevelLimitExceededException", id="deep"),
    ],
)
def test_names_have_rules(account: Account, name: str, code: str) -> None:
    with refused(code):
        _put(account, name)


def test_a_standard_value_has_four_kilobytes(account: Account) -> None:
    with refused("ValidationException"):
        _put(account, "/a", "x" * 4097)


def test_aws_publishes_parameters_too(account: Account) -> None:
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    account.cloud.ssm.parameters.seed(name, account.image)
    assert account.ssm("GetParameter", Name=name)["Parameter"]["Value"] == account.image
