"""The tables of ``docs/reference.md`` that their sources can write by themselves.

``python -m tests.template.reference`` writes them into the page, each between two comments; a test
holds the page to them. What stands there in words of its own is compared by name only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ovenbird.core.traces import TRACES
from ovenbird.fleet import document_schema
from tests.template.deployed import ROOT, machine, written

PAGE = ROOT / "docs/reference.md"
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_KINDS = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "object": "object",
    "string": "text",
}
_PARAMETERS = {
    "CommaDelimitedList": "list, with commas",
    "Number": "whole number",
    "String": "text",
}
_STATES = {"Choice": "question", "Pass": "note", "Succeed": "success", "Fail": "failure"}
Row = Sequence[str]


def table(head: Row, rows: Sequence[Row]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def plain(text: str) -> str:
    """A text as it stands, whatever Markdown or HTML would make of it."""
    return re.sub(r"([*|])", r"\\\1", text.replace("<", "&lt;"))


def code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def fleet() -> str:
    """Every field of the fleet document, from its schema."""
    rows = list(_fields(document_schema(), ""))
    return table(("Field", "Meaning", "Type", "Range", "Default"), rows)


def rollout() -> str:
    return _states("rollout")


def addresses() -> str:
    return _states("addresses")


def parameters() -> str:
    """The stack's parameters, from the template."""
    rows = [
        (
            code(name),
            plain(each["Description"]),
            _PARAMETERS[each["Type"]],
            _allowed(each),
            _default(each) or "needed",
        )
        for name, each in written()["Parameters"].items()
    ]
    return table(("Parameter", "Meaning", "Type", "Range", "Default"), rows)


def outputs() -> str:
    """The stack's outputs, from the template."""
    found = written()["Outputs"].items()
    rows = [(code(name), f"{plain(each['Description'])}.") for name, each in found]
    return table(("Output", "Meaning"), rows)


def traces() -> str:
    """What the clean-up of a bake removes, from its table."""
    hows = {"remove": "removed", "empty": "emptied", "key": "lines taken out"}
    rows = [
        (
            trace.name,
            "<br>".join(code(path) for path in trace.paths),
            hows[trace.how] + (", at the stop" if trace.late else ""),
            plain(trace.why),
        )
        for trace in TRACES
    ]
    return table(("What", "Where", "How", "Why"), rows)


TABLES: dict[str, Callable[[], str]] = {
    each.__name__: each for each in (fleet, rollout, addresses, parameters, outputs, traces)
}


def with_tables(page: str) -> str:
    """The page with its tables written anew."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", page)


def marked(page: str) -> list[str]:
    """The names of the tables that the page has."""
    return [found[2] for found in _MARKED.finditer(page)]


def paths(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    """Every field of the fleet document by its path, as in ``release.s3.bucket``."""
    for name, field in schema.get("properties", {}).items():
        yield f"{above}{name}"
        yield from paths(field, f"{above}{name}.")


def _fields(schema: dict[str, Any], above: str) -> Iterator[Row]:
    for name, field in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        parts = field["type"] == "object" and "properties" in field
        default = "needed" if required else _default({} if parts else field, "default")
        yield (
            code(above + name),
            plain(field["description"]),
            _type(field),
            "" if "properties" in field else _range(field),
            default,
        )
        yield from _fields(field, f"{above}{name}.")


def _type(field: dict[str, Any]) -> str:
    if isinstance(field["type"], list):
        return " or ".join(_KINDS[kind] for kind in field["type"])
    kind = _KINDS[field["type"]]
    if field["type"] == "array":
        return f"{kind} of {_KINDS[field['items']['type']]}s"
    if isinstance(field.get("additionalProperties"), dict):
        return f"{kind} of {_KINDS[field['additionalProperties']['type']]}s"
    return kind


def _range(field: dict[str, Any]) -> str:
    """What is allowed, in a few words."""
    said = []
    if "enum" in field:
        said.append(", ".join(code(each) for each in field["enum"]))
    if "minimum" in field:
        said.append(f"{field['minimum']} to {field['maximum']}")
    if "minLength" in field or "maxLength" in field:
        said.append(_span(field.get("minLength", 0), field["maxLength"], "characters"))
    if "pattern" in field:
        said.append(code(field["pattern"]))
    if "maxItems" in field:
        least, most = field.get("minItems", 0), field["maxItems"]
        said.append("exactly 1" if least == most == 1 else _span(least, most, "entries"))
    if field.get("uniqueItems"):
        said.append("all different")
    if "propertyNames" in field:
        said.append(f"names {code(field['propertyNames']['pattern'])}")
    for part in ("items", "additionalProperties"):
        if isinstance(field.get(part), dict) and (inner := _range(field[part])):
            said.append(f"each {inner}")
    return "; ".join(said)


def _span(least: int, most: int, unit: str) -> str:
    return f"{least} to {most} {unit}" if least else f"at most {most} {unit}"


def _default(field: dict[str, Any], name: str = "Default") -> str:
    if name not in field:
        return ""
    return "empty" if field[name] == "" else code(json.dumps(field[name]))


def _allowed(parameter: dict[str, Any]) -> str:
    """Which values are allowed, or in words what the pattern asks for."""
    values = parameter.get("AllowedValues", [])
    said = str(parameter.get("ConstraintDescription", "")).rstrip(".")
    return ", ".join(str(each) for each in values) or said


def _states(name: str) -> str:
    """Every state of a machine, from its definition."""
    rows = [
        (code(state), _kind(content), plain(content["Comment"]), _seconds(content), _after(content))
        for state, content in machine(name)["States"].items()
    ]
    whole = machine(name).get("TimeoutSeconds")
    return table(("State", "Kind", "What it does or waits for", "Timeout", "Then"), rows) + (
        f"\nThe whole execution may take {whole} s.\n" if whole else ""
    )


def _kind(state: dict[str, Any]) -> str:
    if state["Type"] == "Task":
        if state["Resource"].endswith(":sns:publish"):
            return "notice"
        return "step" if state["Resource"].startswith("${") else "doorbell"
    kind: str = state["Type"]
    return _STATES.get(kind, kind.lower())


def _seconds(state: dict[str, Any]) -> str:
    answered = state.get("TimeoutSecondsPath", state.get("SecondsPath"))
    if answered:
        return code(answered.split(".")[-1])
    seconds = state.get("TimeoutSeconds", state.get("Seconds"))
    return f"{seconds} s" if seconds else ""


def _after(state: dict[str, Any]) -> str:
    """Where it goes, without what happens after a failure."""
    routes = [state, *state.get("Choices", [])]
    found = [route["Next"] for route in routes if "Next" in route]
    found += [state["Default"]] if "Default" in state else []
    return ", ".join(code(each) for each in dict.fromkeys(found))


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
