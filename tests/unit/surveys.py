"""A fleet that can be rolled, for the tests of refusals, plans and estimates."""

from __future__ import annotations

from dataclasses import replace

from ovenbird.core.images import Image
from ovenbird.core.preferences import Preferences
from ovenbird.core.surveys import Survey
from ovenbird.core.templates import Version
from ovenbird.fleet import RollSettings
from tests.unit.fleets import TEMPLATE, group, refresh

TAGGED = {"ovenbird:fleet": "web"}
CURRENT = Image("ami-1", "one", "available")
RUNNING = Version(TEMPLATE, "3", {"ImageId": "ami-1"})
LARGE = Preferences(100, 125, 60)
GOOD = Survey(
    fleet="web",
    roll=RollSettings(),
    group=replace(group(3, 3, 3, 3), tags=TAGGED, propagated=frozenset(TAGGED)),
    refreshes=(refresh("Successful"),),
    running=(RUNNING,),
    preferences=LARGE,
    current_id="ami-1",
    current=CURRENT,
    template_tags={TEMPLATE: TAGGED},
)
