"""What Step Functions calls the errors of DynamoDB and of a Lambda function that was killed.

The states tried are those of ``statemachine/rollout.asl.json``, with a catch that keeps the error.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from tests.aws.account import Account, Belongings
from tests.aws.assumptions import Assumption, Report

BELL = Assumption(
    "a bell that rang meanwhile is caught: the failed condition has the name that we expect",
    "docs/limits.md: What Step Functions calls DynamoDB's errors",
)
KILLED = Assumption(
    "a step whose function was killed is repeated: its error has a name that we expect",
    "docs/limits.md: What Step Functions calls a Lambda that was killed or timed out",
)
TIMED_OUT = Assumption(
    "a step whose function ran out of time is repeated: its error has a name that we expect",
    "docs/limits.md: What Step Functions calls a Lambda that was killed or timed out",
)
ASSUMPTIONS = (BELL, KILLED, TIMED_OUT)
_STATES = json.loads((Path(__file__).parents[2] / "statemachine/rollout.asl.json").read_text())[
    "States"
]
_FUNCTION = """
import os, time

def handler(event, context):
    if event["how"] == "killed":
        os._exit(1)
    time.sleep(30)
"""


def try_state_machines(account: Account, owned: Belongings, report: Report) -> None:
    """A table, a function, a role that may use both, and a state machine for each."""
    table, function = _table(account, owned), f"{account.name}-dies"
    role = _role(account, owned, table, function)
    wait = _STATES["WaitForBake"]
    parameters = {**wait["Parameters"], "TableName": table}
    bell = {"Type": "Task", "Resource": wait["Resource"], "Parameters": parameters}
    answer = {"bake": {"doorbell": "verify", "rings": "1"}}
    seen = _error(account, owned, "bell", {**bell, "TimeoutSeconds": 60}, role, answer)
    report.compare(BELL, seen, *wait["Catch"][0]["ErrorEquals"][:1])

    arn = _function(account, owned, function, role)
    repeated = {name for each in _STATES["BakeImage"]["Retry"] for name in each["ErrorEquals"]}
    for assumption, how in ((KILLED, "killed"), (TIMED_OUT, "slow")):
        state = {"Type": "Task", "Resource": arn}
        seen = _error(account, owned, how, state, role, {"how": how})
        report.compare(assumption, seen, *repeated)


def _table(account: Account, owned: Belongings) -> str:
    dynamodb, name = account.client("dynamodb"), account.name
    owned.add(f"table {name}", lambda: dynamodb.delete_table(TableName=name))
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=account.tags,
    )
    account.until(
        lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE",
        "the table",
    )
    item = {"pk": {"S": "doorbell#verify"}, "rings": {"N": "2"}}  # it rang once since we looked
    dynamodb.put_item(TableName=name, Item=item)
    return name


def _role(account: Account, owned: Belongings, table: str, function: str) -> str:
    iam, name = account.client("iam"), f"{account.name}-states"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": ["states.amazonaws.com", "lambda.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
    allow = {
        "Effect": "Allow",
        "Action": ["dynamodb:UpdateItem", "lambda:InvokeFunction"],
        "Resource": [
            f"arn:aws:dynamodb:*:*:table/{table}",
            f"arn:aws:lambda:*:*:function:{function}",
        ],
    }
    owned.add(f"role {name}", lambda: iam.delete_role(RoleName=name))
    role: str = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=_document(trust), Tags=account.tags
    )["Role"]["Arn"]
    both = {"RoleName": name, "PolicyName": "verify"}
    owned.add(f"policy of {name}", lambda: iam.delete_role_policy(**both))
    iam.put_role_policy(**both, PolicyDocument=_document(allow))
    return role


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _function(account: Account, owned: Belongings, name: str, role: str) -> str:
    functions = account.client("lambda")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", _FUNCTION)
    owned.add(f"function {name}", lambda: functions.delete_function(FunctionName=name))
    made = account.once_allowed(
        lambda: functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="app.handler",
            Role=role,
            Timeout=3,
            Code={"ZipFile": packed.getvalue()},
            Tags={tag["Key"]: tag["Value"] for tag in account.tags},
        ),
        "a function with the new role",
    )
    account.until(
        lambda: (
            functions.get_function(FunctionName=name)["Configuration"].get("State")
            in ("Active", None)
        ),
        "the function",
    )
    return str(made["FunctionArn"])


def _error(
    account: Account,
    owned: Belongings,
    name: str,
    state: dict[str, Any],
    role: str,
    given: dict[str, Any],
) -> str:
    """What the state's failure is called when it runs with that input."""
    states = account.client("stepfunctions")
    caught = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Ended"}
    definition = {
        "StartAt": "Tried",
        "States": {
            "Tried": {**state, "Catch": [caught], "Next": "Ended"},
            "Ended": {"Type": "Succeed"},
        },
    }
    made = account.once_allowed(
        lambda: states.create_state_machine(
            name=f"{account.name}-{name}",
            definition=json.dumps(definition),
            roleArn=role,
            tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in account.tags],
        ),
        "a state machine with the new role",
    )
    machine = made["stateMachineArn"]
    owned.add(
        f"state machine {account.name}-{name}",
        lambda: states.delete_state_machine(stateMachineArn=machine),
    )

    def failure() -> dict[str, str] | None:
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(given))

        def output() -> dict[str, Any] | None:
            seen = states.describe_execution(executionArn=execution["executionArn"])
            return None if seen["status"] == "RUNNING" else json.loads(seen.get("output", "{}"))

        failed: dict[str, str] = account.until(output, "an execution").get("failure", {})
        # A role that is a few seconds old is not known everywhere.
        return None if "not authorized" in failed.get("Cause", "") else failed

    return account.until(failure, "an execution with the new role", minutes=3).get("Error", "none")
