"""Why a fleet cannot be rolled safely. Each sentence says what is seen and what to do.

Everything is judged, so that one refusal names all there is to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovenbird.core import address_refusals, estimates, templates, traffic_refusals
from ovenbird.core.images import FLEET as TAG
from ovenbird.core.names import few
from ovenbird.core.preferences import fits, one_more, surge
from ovenbird.core.quotes import plain
from ovenbird.core.surveys import Survey

_NEEDED_PROCESSES = ("Launch", "Terminate", "InstanceRefresh")


def refusals(seen: Survey) -> tuple[str, ...]:
    """Every reason against rolling; none means that it may begin."""
    return (
        *_tags(seen),
        *_configuration(seen),
        *_images(seen),
        *_state(seen),
        *_room(seen),
        *_weights(seen),
        *_time(seen),
        *_alarms(seen),
        *address_refusals.refusals(seen),
        *traffic_refusals.refusals(seen),
    )


def _tags(seen: Survey) -> Iterator[str]:
    """Advice must not take from another fleet what it needs."""
    owner = plain(seen.group.tags.get(TAG, ""))
    if not owner:
        yield (
            f"Group {seen.group.name} does not carry the tag {TAG}={seen.fleet}; add it, "
            "and let it be propagated to the instances."
        )
    elif owner != seen.fleet:
        yield (
            f"Group {seen.group.name} is fleet {owner}'s by its tag {TAG}, and a group belongs to "
            f"one fleet; name a group of fleet {seen.fleet}'s own in groups, or change the tag if "
            f"fleet {owner} has given it up."
        )
    for template, tags in seen.template_tags.items():
        owner = plain(tags.get(TAG, ""))
        if not owner:
            yield (
                f"Launch template {template} does not carry the tag {TAG}={seen.fleet}; add it, "
                "because Ovenbird changes only what carries it."
            )
        elif owner != seen.fleet:
            yield (
                f"Launch template {template} is fleet {owner}'s by its tag {TAG}, and a template "
                "belongs to one fleet, or each would launch what the other publishes; leave the "
                f"tag, and give group {seen.group.name} a template of its own with the tag "
                f"{TAG}={seen.fleet}."
            )


def _configuration(seen: Survey) -> Iterator[str]:
    group = seen.group
    if group.template is None:
        what = (
            f"the launch configuration {group.launch_configuration}"
            if group.launch_configuration
            else "no launch template"
        )
        yield (
            f"Group {group.name} launches from {what}; AWS rolls only launch templates back, "
            "so move it to a launch template."
        )
        return
    if not seen.roll.pin:
        for template, version in group.versions.items():
            if not version.isdigit():
                yield (
                    f"Group {group.name} launches version {version} of {template}, and AWS can "
                    "roll back only to a number; write a number into the group, or set roll.pin "
                    "to true and Ovenbird writes the number that it means now."
                )
    if any(
        each is not None
        and each.template_id == group.template.template_id
        and each.version != group.template.version
        for each in group.overrides
    ):
        yield (
            f"An override of group {group.name} names another version of "
            f"{group.template.template_id} than the group itself; give both the same."
        )
    if group.selects_by_attributes:
        yield (
            f"Group {group.name} chooses instance types by attributes (InstanceRequirements), "
            "which AWS cannot refresh to another version; name the instance types instead."
        )
    for launched in seen.running:
        if launched.content.get("InstanceRequirements"):
            yield (
                f"Version {launched.number} of {launched.template_id} describes instance types by "
                "attributes (InstanceRequirements), which AWS can neither refresh to another "
                "version nor launch as one instance to bake on; name an instance type instead."
            )
    if group.overrides_images:
        yield (
            f"An override of group {group.name} names an image itself, so a new version would not "
            "reach it; take ImageId out of the overrides."
        )


def _images(seen: Survey) -> Iterator[str]:
    main = seen.group.template
    if main is None or not seen.running:
        return
    own = seen.running[0]
    if seen.current is None and seen.current_id and not seen.current_id.startswith("resolve:"):
        yield (
            f"Version {own.number} of {own.template_id} launches {seen.current_id}, which does not "
            "exist any more, so the group cannot be rolled back to it; publish a version with an "
            "image that exists, and give it to the group."
        )
    elif seen.current is not None and not seen.current.is_available:
        yield (
            f"The image {seen.current.image_id} that the group launches is {seen.current.state}, "
            "so the group cannot be rolled back to it; enable it, or give the group another one."
        )
    wrong = templates.refusal(
        own.template_id,
        own.number,
        templates.pinned_overrides(seen.group, seen.running),
        seen.running,
        seen.current_id or "",
    )
    if wrong:
        yield wrong


def _state(seen: Survey) -> Iterator[str]:
    group = seen.group
    if group.leaving:
        yield (
            f"Group {group.name} is being deleted ({group.status}); name another group in the "
            "fleet document, or make it again when it is gone."
        )
    for refresh in seen.refreshes:
        if refresh.active:
            yield (
                f"Group {group.name} is being refreshed by somebody else ({refresh.refresh_id}, "
                f"{refresh.status}); wait until it has ended, or cancel it."
            )
    suspended = [each for each in _NEEDED_PROCESSES if each in group.suspended]
    if suspended:
        yield (
            f"Group {group.name} has suspended {' and '.join(suspended)}; resume "
            f"{'it' if len(suspended) == 1 else 'them'}, or nothing can be replaced."
        )
    standby = [each.instance_id for each in group.members if each.lifecycle == "Standby"]
    if standby and seen.roll.standby_instances == "Wait":
        yield (
            f"{few(standby)} in Standby would hold the roll up for an hour, because "
            "roll.standby_instances is Wait; return them to service, or choose Ignore or Terminate."
        )
    protected = [each.instance_id for each in group.members if each.protected]
    if protected and seen.roll.protected_instances == "Wait":
        yield (
            f"{few(protected)} with scale-in protection would hold the roll up for an hour, "
            "because roll.protected_instances is Wait; remove the protection, or choose Refresh "
            "or Ignore."
        )


def _room(seen: Survey) -> Iterator[str]:
    group, wanted = seen.group, seen.preferences
    if wanted is None or group.desired == 0:
        return
    if (
        group.desired == 1
        and not group.weighted
        and wanted.min_healthy_percent == 100
        and wanted.max_healthy_percent == 100
    ):
        yield (
            f"Group {group.name} has one instance, and with roll.min_healthy_percent 100 and "
            "roll.max_healthy_percent 100 there is no room for a second; set "
            "roll.max_healthy_percent to 200, or leave it out."
        )
        return
    needed = group.desired + surge(wanted, group.desired, one_more(group))
    if needed > group.max_size:
        units = "units" if group.weighted else "instances"
        heaviest = (
            f"; its largest instance counts for {group.largest_weight}" if group.weighted else ""
        )
        yield (
            f"Group {group.name} has {group.desired} of at most {group.max_size} {units}, and "
            f"the roll needs room for {needed} (roll.max_healthy_percent is "
            f"{wanted.max_healthy_percent}{heaviest}); raise its MaxSize to {needed}, or lower "
            "roll.min_healthy_percent and roll.max_healthy_percent."
        )


def _weights(seen: Survey) -> Iterator[str]:
    """Source: EC2 Auto Scaling user guide, "How an instance refresh works", limitations."""
    group = seen.group
    if group.weighted and 0 < group.desired <= group.largest_weight:
        yield (
            f"Group {group.name} wants {group.desired} units and has an instance type that counts "
            f"for {group.largest_weight}, so AWS may replace all its instances at once; give the "
            "group a desired capacity above its largest weight, or take the weights away."
        )
    elif group.weighted and seen.preferences is not None and not fits(seen.preferences, group):
        yield (
            f"Group {group.name} has {group.desired + group.overage} units and wants "
            f"{group.desired}, and between {seen.preferences.min_healthy_percent} and "
            f"{seen.preferences.max_healthy_percent} percent of that there is no room for another "
            f"instance of {group.largest_weight}; give the group a desired capacity that its "
            "instances make exactly, or widen roll.min_healthy_percent and "
            "roll.max_healthy_percent."
        )


def _time(seen: Survey) -> Iterator[str]:
    if seen.preferences is None:
        return
    least = estimates.waits(seen.preferences, seen.group)
    given = seen.roll.give_up_after_minutes
    if least > given:
        yield (
            f"roll.give_up_after_minutes is {given}, but the roll's warm-ups, checkpoints and bake "
            f"time alone take {least:.0f} minutes; raise it, or give the roll less to wait for "
            "(roll.warmup_seconds, roll.checkpoint_delay_seconds, roll.bake_time_seconds) or more "
            "room (roll.max_healthy_percent)."
        )


def _alarms(seen: Survey) -> Iterator[str]:
    for name in seen.roll.alarms:
        state = seen.alarms.get(name)
        if state is None:
            yield (
                f"There is no alarm {name} in this account and region; make it, or take it out of "
                "roll.alarms."
            )
        elif state != "OK":
            yield (
                f"The alarm {name} is {state}, and AWS starts no refresh before it is OK; wait, "
                "or take it out of roll.alarms."
            )
