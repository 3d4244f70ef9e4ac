"""Taking a survey: a look at everything that a rollout will touch, before it touches anything."""

from __future__ import annotations

from ovenbird.aws import (
    alarms,
    autoscaling_groups,
    autoscaling_refreshes,
    ec2_addresses,
    ec2_images,
    ec2_templates,
)
from ovenbird.core import templates
from ovenbird.core.groups import versions_by_template
from ovenbird.core.images import Image
from ovenbird.core.preferences import for_group
from ovenbird.core.surveys import Survey
from ovenbird.errors import NotFound
from ovenbird.fleet import Fleet


def take(fleet: Fleet) -> Survey:
    """Look at everything; nothing is changed.

    Raises:
        NotFound: There is no such group, or its launch template or the version is gone.
        Throttled, Unavailable: Safe to repeat.
    """
    group = autoscaling_groups.describe(fleet.group)
    running = []
    if group.template is not None:
        sources = templates.sources(
            group.template.template_id,
            group.template.version,
            versions_by_template(group.overrides),
        )
        running = [ec2_templates.version(template, number) for template, number in sources.items()]
    current_id = running[0].image if running else None
    return Survey(
        fleet=fleet.name,
        roll=fleet.roll,
        group=group,
        refreshes=autoscaling_refreshes.recent(group.name),
        running=running,
        preferences=for_group(group, fleet.roll, addresses=fleet.addresses.count > 0),
        current_id=current_id,
        current=image(current_id),
        template_tags={each.template_id: ec2_templates.tags(each.template_id) for each in running},
        alarms=alarms.states(fleet.roll.alarms),
        pool=ec2_addresses.pool(fleet.name) if fleet.addresses.count else (),
        address_count=fleet.addresses.count,
    )


def image(image_id: str | None) -> Image | None:
    """An image as it stands; ``None`` where it is gone, or where a parameter names it."""
    if image_id is None or image_id.startswith("resolve:"):
        return None
    try:
        return ec2_images.get(image_id)
    except NotFound:
        return None
