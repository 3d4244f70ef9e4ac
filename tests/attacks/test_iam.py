"""Somebody leads a function's code, or the person who deploys: what the roles still deny.

Asked of an evaluator of IAM that nobody here wrote; see :mod:`tests.template.permissions`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from tests.stories.intrinsics import ACCOUNT, REGION, arn
from tests.template.deployed import MACHINES, functions, resources, written
from tests.template.permissions.asks import Ask, keyed_machine
from tests.template.permissions.roles import Role, resolver, roles
from tests.template.permissions.simulator import Answer, Question, decide, of_roles

KEY = arn("kms", "key/11111111-2222-4333-8444-555555555555")
TEMPLATE = ("ec2:LaunchTemplate", (arn("ec2", "launch-template/lt-0123456789abcdef0"),))
BESIDE = (TEMPLATE, ("ec2:IsLaunchTemplateResource", ("false",)))
ITS_OWN = (TEMPLATE, ("ec2:IsLaunchTemplateResource", ("true",)))
OF_THE_LAUNCH = {
    "image": f"arn:aws:ec2:{REGION}::image/ami-0123456789abcdef0",
    "snapshot": f"arn:aws:ec2:{REGION}::snapshot/snap-0123456789abcdef0",
    "security group": arn("ec2", "security-group/sg-0123456789abcdef0"),
    "interface": arn("ec2", "network-interface/eni-0123456789abcdef0"),
    "key pair": arn("ec2", "key-pair/attacker"),
    "placement group": arn("ec2", "placement-group/attacker"),
    "reservation": arn("ec2", "capacity-reservation/cr-0123456789abcdef0"),
}
TRYING = ["PlanRolloutFunction", "RollGroupFunction", "UndoRolloutFunction"]
TO_EC2 = (("iam:PassedToService", ("ec2.amazonaws.com",)),)


def role(name: str, account: str = ACCOUNT) -> str:
    return arn("iam", f"role/{name}", region="", account=account)


@cache
def stack() -> dict[str, Role]:
    return roles()


def answers(asked: dict[str, Ask], who: dict[str, Role] | None = None) -> dict[str, Answer]:
    """By owner; each is asked one thing."""
    who = who or stack()
    given, _ = decide(
        of_roles(who.values()), [Question(owner, ask) for owner, ask in asked.items()]
    )
    return dict(zip(asked, given, strict=True))


def denied_to_all(ask: Ask, **parameters: str) -> bool:
    who = roles(**parameters) if parameters else stack()
    return all(answer.denied for answer in answers(dict.fromkeys(who, ask), who).values())


# Launches -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", OF_THE_LAUNCH)
def test_a_trial_takes_nothing_beside_what_the_template_names(what: str) -> None:
    own = Ask("ec2:RunInstances", OF_THE_LAUNCH[what], ITS_OWN)
    other = replace(own, context=BESIDE)
    assert all(answer.allowed for answer in answers(dict.fromkeys(TRYING, own)).values())
    assert all(answer.denied for answer in answers(dict.fromkeys(TRYING, other)).values())


@pytest.mark.parametrize("what", ["key pair", "placement group", "reservation"])
def test_nor_does_a_builder_but_for_what_is_its_own(what: str) -> None:
    ask = Ask("ec2:RunInstances", OF_THE_LAUNCH[what], BESIDE)
    assert answers({"BakeImageFunction": ask})["BakeImageFunction"].denied


@pytest.mark.parametrize("what", OF_THE_LAUNCH)
def test_nothing_is_launched_without_a_template(what: str) -> None:
    assert denied_to_all(Ask("ec2:RunInstances", OF_THE_LAUNCH[what]))


@pytest.mark.parametrize("what", OF_THE_LAUNCH)
def test_nothing_is_launched_from_a_template_of_another_account(what: str) -> None:
    template = arn("ec2", "launch-template/lt-0123456789abcdef0", account="999999999999")
    context = (("ec2:LaunchTemplate", (template,)), ITS_OWN[1])
    assert denied_to_all(Ask("ec2:RunInstances", OF_THE_LAUNCH[what], context))


@pytest.mark.parametrize("tags", [(), (("aws:ResourceTag/ovenbird:fleet", ("",)),)])
def test_nothing_is_launched_from_a_template_without_a_fleet(
    tags: tuple[tuple[str, tuple[str, ...]], ...],
) -> None:
    assert denied_to_all(Ask("ec2:RunInstances", TEMPLATE[1][0], tags))


def test_only_a_builder_is_launched_by_the_bake() -> None:
    """An instance that bears no builder's tag, from the fleet's own template."""
    for tag in ((), (("aws:RequestTag/ovenbird:role", ("member",)),)):
        ask = Ask("ec2:RunInstances", arn("ec2", "instance/*"), (*ITS_OWN, *tag))
        assert answers({"BakeImageFunction": ask})["BakeImageFunction"].denied


# Roles of instances -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "passed",
    [
        role("Admin"),
        role("web-admin"),
        role("web/admin"),
        role("fleets/web"),
        role("web", account="999999999999"),
    ],
)
def test_no_role_is_passed_unless_it_was_named(passed: str) -> None:
    assert denied_to_all(Ask("iam:PassRole", passed, TO_EC2))


def test_a_named_role_is_passed_to_ec2_and_to_nobody_else() -> None:
    assert answers({"BakeImageFunction": Ask("iam:PassRole", role("web"), TO_EC2)})[
        "BakeImageFunction"
    ].allowed
    for service in ("lambda", "ssm", "codebuild", "glue", "cloudformation"):
        context = (("iam:PassedToService", (f"{service}.amazonaws.com",)),)
        assert denied_to_all(Ask("iam:PassRole", role("web"), context))


def test_without_instance_roles_none_is_passed() -> None:
    for passed in (role("web"), role("none")):
        assert denied_to_all(Ask("iam:PassRole", passed, TO_EC2), InstanceRoleArns="none")


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (role("web", account="111122223333"), True),
        (role("fleets/web", account="111122223333"), True),
        ("none", True),
        ("", False),
        ("*", False),
        (role("*", account="111122223333"), False),
        (role("web?", account="111122223333"), False),
        (role("web", account="*"), False),
        ("arn:aws:iam::111122223333:instance-profile/web", False),
        ("arn:aws:iam::111122223333:user/web", False),
        ("web", False),
    ],
)
def test_whoever_deploys_names_each_role(value: str, good: bool) -> None:
    """CloudFormation asks the pattern of each member of a list."""
    parameter = written()["Parameters"]["InstanceRoleArns"]
    assert "Default" not in parameter
    assert bool(re.fullmatch(parameter["AllowedPattern"], value)) is good


# Histories ----------------------------------------------------------------------------------------


def test_histories_have_the_key_of_the_ledger() -> None:
    fill = resolver((("KmsKeyArn", KEY),)).resolve
    machines = resources("AWS::StepFunctions::StateMachine")
    assert set(machines) == set(MACHINES)
    for machine in machines.values():
        found = fill(machine)["EncryptionConfiguration"]
        assert (found["Type"], found["KmsKeyId"]) == ("CUSTOMER_MANAGED_KMS_KEY", KEY)
        assert "EncryptionConfiguration" not in resolver().resolve(machine)


def test_a_machine_reads_its_own_histories_and_no_function_reads_any() -> None:
    who = roles(KmsKeyArn=KEY)
    arns = {name: str(resolver().resolve({"Ref": name})) for name in MACHINES}
    for machine, machine_arn in arns.items():
        for ask in keyed_machine(machine_arn, KEY):
            if "SourceArn" in ask.context[0][0]:
                continue
            allowed = {
                owner for owner, a in answers(dict.fromkeys(who, ask), who).items() if a.allowed
            }
            assert allowed == {machine}


@pytest.mark.parametrize(
    "action",
    [
        "states:GetExecutionHistory",
        "states:StopExecution",
        "states:SendTaskFailure",
        "states:RedriveExecution",
    ],
)
def test_no_role_of_the_stack_reads_or_ends_an_execution(action: str) -> None:
    where = "*" if "Task" in action else arn("states", "execution:ovenbird-rollout:web-1")
    assert denied_to_all(Ask(action, where))


# Who may become a role ----------------------------------------------------------------------------


def test_roles_are_assumed_by_services_only_and_machines_for_this_account_only() -> None:
    for name, each in resources("AWS::IAM::Role").items():
        (statement,) = each["AssumeRolePolicyDocument"]["Statement"]
        assert set(statement["Principal"]) == {"Service"}
        if name.removesuffix("Role") not in functions().values():
            same = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
            assert statement["Condition"] == same
