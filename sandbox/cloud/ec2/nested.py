"""A launch template's content with the parameters of a call on top, as RunInstances reads both.

Source: EC2 user guide, "Launch EC2 instances using a launch template": "If you specify a nested
parameter that's part of a complex structure, the instance is launched using the complex structure
as specified in the launch template plus any additional nested parameters that you specify." So a
call can add to what the template says and replace it; it cannot take anything out.
"""

from __future__ import annotations

from typing import Any

from sandbox.cloud.ec2 import devices

Content = dict[str, Any]


def over(template: Content, given: Content) -> Content:
    """The template's content with that of the call on top; neither is changed."""
    merged = dict(template)
    for name, value in given.items():
        merged[name] = _member(name, template.get(name), value)
    return merged


def _member(name: str, under: Any, value: Any) -> Any:
    if under is None:
        return value
    if name == "BlockDeviceMappings":
        return devices.joined(under, value)
    if name == "NetworkInterfaces":
        return _interfaces(under, value)
    if name == "TagSpecifications":
        return [*under, *value]  # a tag of the same key is replaced where they are applied
    if isinstance(under, dict) and isinstance(value, dict):
        return over(under, value)
    return value


def _interfaces(under: list[Content], given: list[Content]) -> list[Content]:
    """By their index, as devices by their name; no source says so of interfaces."""
    found: dict[tuple[int, int], Content] = {}
    for each in (*under, *given):
        place = each.get("NetworkCardIndex", 0), each.get("DeviceIndex", 0)
        found[place] = found.get(place, {}) | each
    return list(found.values())
