"""Every change of a definition (YAML, or JSON, which is YAML too) that this tool can think of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from tests.mutants import expressions
from tests.mutants.change import Change

# What only people read, or what no test and no stack would notice.
LEFT_OUT = {
    "AllowedValues",  # CloudFormation's own list; only a deployment asks
    "AlarmDescription",
    "AWSTemplateFormatVersion",
    "Comment",
    "Description",
    "Metadata",
    "Outputs",
    "QueryLanguage",
    "Sid",
    "Transform",
}
_EXPRESSIONS = {"ConditionExpression", "UpdateExpression"}
_CODES = {"StringEquals", "Variable", "Next", "Default", "ResultPath", "Error", "ErrorPath"}
_CODES |= {"Statistic", "ComparisonOperator", "TreatMissingData", "AttributeName", "Effect"}
# Without one of these CloudFormation or Step Functions refuses the whole: validators say so.
_NEEDED = {"Type", "Properties", "States", "StartAt", "Resource", "Resources", "Runtime"}


@dataclass(frozen=True)
class _Text:
    path: str
    text: str

    def change(self, kind: str, start: int, end: int, put: str) -> Change:
        """A change between two characters."""
        first = self.text.count("\n", 0, start) + 1
        before = len(self.text[:start].encode())
        length = len(self.text[start:end].encode())
        last = first + self.text.count("\n", start, end)
        return Change(self.path, kind, before, before + length, put, (first, last))

    def of(self, kind: str, node: yaml.Node, put: str) -> Change:
        return self.change(kind, node.start_mark.index, node.end_mark.index, put)

    def without(self, kind: str, first: yaml.Node, last: yaml.Node, *, flow: bool) -> Change:
        """The text without what stands from one node to another."""
        start, end = first.start_mark.index, last.end_mark.index
        if flow:
            after = end + len(self.text[end:]) - len(self.text[end:].lstrip())
            if self.text[after] == ",":
                end = after + 1
            else:  # the last one takes the comma before it along
                start = len(self.text[:start].rstrip())
                start -= self.text[start - 1] == ","
        else:
            start = self.text.rfind("\n", 0, start) + 1
            if self._ends_a_line(end):
                end = self.text.rfind("\n", 0, end) + 1
            else:
                end = self.text.find("\n", end) + 1 or len(self.text)
        return self.change(kind, start, end, "")

    def _ends_a_line(self, end: int) -> bool:
        """Whether only blanks stand before that place in its line: the node ended before."""
        return not self.text[self.text.rfind("\n", 0, end) + 1 : end].strip()


def changes(path: str, text: str) -> list[Change]:
    """Every change of the definition; some may be none, see :func:`is_one`."""
    root = _composed(text)
    return list(_walk(_Text(path, text), root, "", _states(root)))


def is_one(change: Change, text: str) -> bool:
    """Whether it says something else afterwards, and can be read still."""
    try:
        after = _composed(change.applied(text))
    except yaml.YAMLError:
        return False
    return _plain(after) != _plain(_composed(text))


def _composed(text: str) -> yaml.Node:
    """The nodes of a document, with their places; tags stay what they are."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None, "a definition is not empty"
    return root


def _plain(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return [(_plain(key), _plain(value)) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in node.value]
    return (node.tag, node.value)


def _states(root: yaml.Node) -> list[str]:
    """The names of the states, if it is a state machine."""
    for key, value in root.value:
        if key.value == "States":
            return [name.value for name, _ in value.value]
    return []


def _walk(text: _Text, node: yaml.Node, name: str, states: list[str]) -> Iterator[Change]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in LEFT_OUT:
                continue
            if key.value not in _NEEDED and len(node.value) > 1:
                yield text.without("key dropped", key, value, flow=bool(node.flow_style))
            yield from _walk(text, value, key.value, states)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            if len(node.value) > 1:
                yield _member(text, node, each)
            yield from _walk(text, each, name, states)
    else:
        yield from _scalar(text, node, name, states)


def _member(text: _Text, node: yaml.SequenceNode, each: yaml.Node) -> Change:
    if node.flow_style:
        return text.without("member dropped", each, each, flow=True)
    return text.without("member dropped", each, each, flow=False)


def _scalar(text: _Text, node: yaml.Node, name: str, states: list[str]) -> Iterator[Change]:
    assert isinstance(node, yaml.ScalarNode)
    quote = node.style or ""
    kind = node.tag.rpartition(":")[2]
    if kind == "int":
        number = int(node.value)
        yield text.of("number", node, str(number + 1))
        if number:
            yield text.of("number", node, str(number * 10))
    elif kind == "bool":
        other = "false" if node.value.lower() == "true" else "true"
        yield text.of("true for false", node, other)
    elif name in _EXPRESSIONS:
        for made in expressions.changes(node.value):
            yield text.of("text", node, f"{quote}{made}{quote}")
        if name == "ConditionExpression":  # written without the sign that the layer's have
            for made in (node.value.replace(" = ", " <> "),):
                yield text.of("text", node, f"{quote}{made}{quote}")
    elif name in ("Next", "Default") and states:
        for other in states:
            if other != node.value:
                yield text.of("next state", node, f"{quote}{other}{quote}")
    elif name in _CODES and kind == "str":
        yield text.of("text", node, f"{quote}{node.value}-{quote}")
