"""What a step may do, read from the code: every function that it can reach, by name.

An adapter says in its docstring which permissions it needs (``IAM: ec2:StopInstances``), and beside
them what AWS asks for on top (``IAM also: …``, or a sentence about a launch). The graph is by name,
without running anything: whoever mentions a function may call it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

from tests.template.deployed import ROOT

PACKAGE = ROOT / "layers/ovenbird"
PREFIXES = {  # botocore → IAM
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "stepfunctions": "states",
}
_ACTION = re.compile(r"\b[a-z0-9]+:[A-Z]\w+")
Name = tuple[str, str]  # module, function or class or constant


@dataclass(frozen=True)
class Definition:
    """One function, class or constant: what it mentions, calls and says."""

    mentions: frozenset[Name]
    clients: frozenset[str]  # as botocore names them
    calls: frozenset[str]  # as IAM names them
    declared: frozenset[str]
    needed: frozenset[str] = field(default_factory=frozenset)  # declared, and what AWS asks on top


@cache
def definitions() -> dict[Name, Definition]:
    """Everything that the package defines at module level."""
    found: dict[Name, Definition] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        tree = ast.parse(path.read_text())
        imported = _imports(tree)
        for node in tree.body:
            for name in _defined(node):
                found[module, name] = _definition(node, module, imported)
    return found


def reached(module: str, name: str) -> set[Name]:
    """This definition and everything that it can reach."""
    known = definitions()
    seen, ahead = set[Name](), [(module, name)]
    while ahead:
        each = ahead.pop()
        if each in known and each not in seen:
            seen.add(each)
            ahead += known[each].mentions
    return seen


def actions(step: str) -> set[str]:
    """Every IAM action that a step needs."""
    return {
        action
        for name in reached(f"ovenbird.steps.{step}", "step")
        for action in definitions()[name].needed
    }


def clients(step: str) -> set[str]:
    """Every boto3 client that a step uses."""
    return {
        client
        for name in reached(f"ovenbird.steps.{step}", "step")
        for client in definitions()[name].clients
    }


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _imports(tree: ast.Module) -> dict[str, Name]:
    """Local names of what is imported from the package; ``("ovenbird.aws", "clients")``."""
    found: dict[str, Name] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ovenbird"):
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module or "", alias.name)
    return found


def _definition(node: ast.stmt, module: str, imported: dict[str, Name]) -> Definition:
    mentions, services, methods = set[Name](), set[str](), set[str]()
    local = _local(node)
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name) if name not in local:
                mentions.add(_home(imported.get(name, (module, name))))
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in imported:
                mentions.add(_home((".".join(imported[name]), attribute)))
        match each:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="clients"), attr="get"),
                args=[ast.Constant(value=str(service))],
            ):
                services.add(service)
            case ast.Call(
                func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(method))]
            ):
                methods.add(method)
            case ast.Call(func=ast.Attribute(attr=method)):
                methods.add(method)
    declared, needed = _says(node)
    calls = {
        f"{PREFIXES.get(service, service)}:{_operations(service)[method]}"
        for service in services
        for method in methods
        if method in _operations(service)
    }
    return Definition(
        mentions=frozenset(mentions),
        clients=frozenset(services),
        calls=frozenset(calls),
        declared=frozenset(declared),
        needed=frozenset(needed),
    )


def _local(node: ast.stmt) -> set[str]:
    """Variables and parameters: they may have the name of something else."""
    walked = list(ast.walk(node))
    stored = {
        each.id for each in walked if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }
    return stored | {each.arg for each in walked if isinstance(each, ast.arg)}


@cache
def _home(name: Name) -> Name:
    """Where a name is defined, if a package only passes it on."""
    module, attribute = name
    package = PACKAGE / Path(*module.split(".")) / "__init__.py"
    if package.exists():
        passed_on = _imports(ast.parse(package.read_text())).get(attribute)
        if passed_on and passed_on != name:
            return passed_on
    return name


def _says(node: ast.stmt) -> tuple[set[str], set[str]]:
    """The actions after ``IAM:``, and all of its paragraph."""
    documented = isinstance(node, ast.FunctionDef)
    text = (ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None) or ""
    paragraph = re.search(r"^IAM:.*?(?=^Source:|^\s*$|\Z)", text, re.M | re.S)
    if not documented or not paragraph:
        return set(), set()
    line = re.match(r"IAM:(?:[^\n]*,\n)*[^\n]*", paragraph[0])
    assert line
    return set(_ACTION.findall(line[0])), set(_ACTION.findall(paragraph[0]))


@cache
def _operations(service: str) -> dict[str, str]:
    """boto3's methods of a service, and the API's names of them."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(operation): operation for operation in model.operation_names}
