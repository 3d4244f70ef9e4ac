"""PublishTemplate: versions that launch the new image, made from those that the group runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ovenbird import answers
from ovenbird.answers import Answer
from ovenbird.aws import ec2_images, ec2_templates
from ovenbird.core import owners, seals, templates
from ovenbird.core.images import Image
from ovenbird.core.templates import Reuse, Version
from ovenbird.core.tokens import token
from ovenbird.errors import Denied, Refused
from ovenbird.events import rollout as state
from ovenbird.ledger import lanes


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Publish a version of every template that the group launches from, or reuse an equal one.

    The group is not touched: nothing launches the versions before RollGroup. Repeating the step
    answers the same numbers.

    Raises:
        BadEvent: The state is not well made, or not that of this rollout.
        Denied: A template does not carry the fleet's tag.
        Refused: The templates cannot be led over to one image, the image is not available, or EC2
            warns that a version cannot be launched.
    """
    state.check(event, now, "plan.fence", "plan.from")
    rollout, plan = event["rollout"], event["plan"]
    claim = lanes.check(state.claim(event, "plan", "bake", "version"))
    image = ec2_images.get(state.image_of(event))
    if not image.is_available:
        raise Refused(f"The image {image.image_id} is {image.state}; it cannot be launched.")
    came_from = plan["from"]
    main, overrides = came_from["template"], came_from.get("overrides") or {}
    sources = templates.sources(main, came_from["version"], overrides)
    for template, tags in ec2_templates.tags(sources).items():
        if stranger := owners.refusal(f"Launch template {template}", tags, event["fleet"]):
            raise Denied(stranger)
    running = [ec2_templates.version(template, version) for template, version in sources.items()]
    refusal = templates.refusal(main, came_from["version"], overrides, running, came_from["image"])
    if refusal:
        raise Refused(refusal)
    revision = (event.get("release") or {}).get("revision") or f"back to {image.image_id}"
    published = {
        source.template_id: _published(source, image, rollout, revision) for source in running
    }
    targets = {template: number for template, (number, _) in published.items()}
    version = {
        "template": main,
        "version": targets[main],
        "overrides": {template: targets[template] for template in overrides},
        "targets": targets,
        "image": image.image_id,
    }
    answer = answers.done(" ".join(reason for _, reason in published.values()), **version)
    lanes.seal(claim, seals.sealing(event, "version", answer), version=version)
    return answer


def _published(source: Version, image: Image, rollout: str, revision: str) -> tuple[str, str]:
    decision = templates.decide(
        source,
        image.image_id,
        image.root_device,
        ec2_templates.of_image(source.template_id, image.image_id),
    )
    if isinstance(decision, Reuse):
        return decision.number, decision.reason
    number = ec2_templates.publish(
        source.template_id,
        decision.source,
        decision.changes,
        description=templates.description(rollout, revision),
        token=token(
            rollout, "publish_template", [source.template_id, decision.source, decision.changes]
        ),
    )
    return number, f"{decision.reason} It is version {number}."
