"""Every failure that Ovenbird can name.

    OvenbirdError
    ├── Retryable              the same call may work in a minute
    │   ├── Throttled          AWS asked us to slow down
    │   ├── Unavailable        AWS failed on its side, or its answer was lost
    │   └── NotYetVisible      what was just made cannot be seen yet (eventual consistency)
    └── Terminal               a person must change something first
        ├── BadEvent           the event is not one that we understand
        ├── BadFleet           the fleet document is wrong
        ├── BadSettings        an environment variable is missing or malformed
        ├── NotFound           a group, image, template, parameter or address is gone
        ├── Denied             a permission is missing
        ├── Declined           AWS refused a call for a reason of its own
        ├── Refused            the fleet cannot be rolled safely, and nothing was touched
        ├── Stopped            a person stopped the rollout
        ├── LaneLost           another rollout owns the fleet now
        ├── LimitNear          the execution came near a limit of Step Functions
        ├── ExecutionLost      the execution ended without a result, at a limit of Step Functions
        ├── BakeFailed         the image could not be made
        ├── RollFailed         the group could not be rolled to the new version
        ├── AddressFailed      the Elastic IPs could not be put on healthy instances
        └── UndoFailed         the fleet could not be brought back to the old version

The class names are public: Lambda reports them as ``errorType``, the state machines in
``statemachine/`` match on them in ``Retry`` and ``Catch``, and one metric counts each.
"""

from __future__ import annotations


class OvenbirdError(Exception):
    """The root; its text is one sentence for the person who will read the notice."""


class Retryable(OvenbirdError):
    """Nothing is wrong for good: the same call may work in a minute."""


class Throttled(Retryable):
    """AWS asked us to slow down; nothing was changed."""


class Unavailable(Retryable):
    """AWS failed on its side, or its answer was lost: the effect may or may not be there."""


class NotYetVisible(Retryable):
    """What was just made cannot be seen yet."""


class Terminal(OvenbirdError):
    """A person must change something before the same call can work."""


class BadEvent(Terminal):
    """The event or manual payload is not one that we understand."""


class BadFleet(Terminal):
    """The fleet document is wrong; the text names the field, the value and what would be right.

    ``mistakes`` has each sentence for itself.
    """

    def __init__(self, text: str, mistakes: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.mistakes = mistakes or (text,)


class BadSettings(Terminal):
    """An environment variable is missing or malformed."""


class NotFound(Terminal):
    """A group, image, template, parameter or address is gone."""


class Denied(Terminal):
    """AWS refused the call for want of a permission."""


class Declined(Terminal):
    """AWS refused a call for a reason of its own, which stands in its words.

    A step of a rollout ends as its own failure then (:mod:`ovenbird.entry`); other functions bear
    this name.
    """


class Refused(Terminal):
    """The fleet cannot be rolled safely; nothing was touched."""


class Stopped(Terminal):
    """A person stopped the rollout (a rollback by hand while it ran)."""


class LaneLost(Terminal):
    """Another rollout owns the fleet now; this one must not write any more."""


class LimitNear(Terminal):
    """The execution came near a limit of Step Functions, which would have ended it in silence."""


class ExecutionLost(Terminal):
    """The execution of the rollout ended without a result: at a limit of Step Functions."""


class BakeFailed(Terminal):
    """The image could not be made; the fleet was not touched."""


class RollFailed(Terminal):
    """The group could not be rolled to the new version."""


class AddressFailed(Terminal):
    """The Elastic IPs could not be put on healthy instances."""


class UndoFailed(Terminal):
    """The fleet could not be brought back to the old version; it needs a person now."""
