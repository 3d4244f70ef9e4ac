"""Why each statement of the template is there, by its Sid, for ``docs/permissions.md``."""

from __future__ import annotations

WHY = {
    "Addresses": "Put an address of the fleet on an instance of the fleet.",
    "BadImages": "Mark an image that a rollout has failed with, so that it is never used again.",
    "BaseImages": "Read which image `bake.base` names, where it is a public parameter.",
    "Builders": "Stop and image the builder, and terminate it when it is not needed any more.",
    "DeadLettersKey": "Encrypt an event that the function failed on.",
    "DefaultVersion": "Make the version that was rolled out the template's default.",
    "Doorbells": "Wait: lay a task token on a doorbell.",
    "Executions": "See whether an execution has ended, and how.",
    "FleetDocument": "Read what the owner wants, and whether the fleet is paused.",
    "FleetDocuments": "Find the fleets that a release or an alarm concerns.",
    "FromTemplatesOfFleets": "Launch from the fleet's template; see [launches](#launches).",
    "HistoryKey": "Encrypt the executions' histories.",
    "Images": "Make an image and its snapshots, tagged in the same call.",
    "InstanceRoles": "Launch what has the role that the fleet's template names.",
    "LaunchBuilders": "Launch an instance that is tagged as a builder.",
    "LedgerItems": "Read and write the lane, and what else the step remembers.",
    "LedgerKey": "Read and write an encrypted ledger.",
    "LaunchIntoTheGroup": "Launch with the type and in the subnet that the group chooses; "
    "see [launches](#launches).",
    "LogDelivery": "Log failed states. Step Functions asks for all of these, on everything.",
    "LogKey": "Encrypt what is logged.",
    "LookAfterAddresses": "Look after the addresses of a group whose instances change.",
    "Look": "See what is there. Describe calls know no resources.",
    "NoLogButOurs": "Keep to the log of the stack.",
    "NoNewLogs": "Keep to the log of the stack.",
    "Notices": "Tell people how a rollout ended, or what a mistake has cost.",
    "NoticesKey": "Encrypt a notice.",
    "NoticesWithoutAFunction": "Tell people when not even the undo works.",
    "OnBuilders": "Run the fleet's scripts on the builder, and nowhere else.",
    "Pin": "Pin a group that follows an alias to a number, if its owner asks for it (`roll.pin`).",
    "PublishedImage": "Tell others which image the fleet runs.",
    "Refresh": "Roll the group, or roll it back.",
    "RehearseAddresses": "See, by a dry run, whether an address could be moved; none is.",
    "Rollouts": "Start a rollout.",
    "RolloutsThatRun": "See whether the rollout that holds a lane still runs.",
    "Scripts": "Run the fleet's scripts, with this document and no other.",
    "Steps": "Run the steps.",
    "TagBuilders": "Tag the builder in the call that launches it, and at no other time.",
    "TagImages": "Tag image and snapshots in the call that makes them, and at no other time.",
    "TagWhatIsLaunched": "Launch what the fleet's template tags; see [launches](#launches).",
    "UndoOfTheDead": "Begin the undo of a rollout whose execution has died with the lane.",
    "Undos": "Begin the undo of a rollout whose execution has died, and another look after "
    "addresses.",
    "Versions": "Publish a version with the new image.",
    "VolumeKey": "Launch and image a builder whose volumes are encrypted.",
    "VolumeKeyGrants": "Let EC2, and only AWS, go on using the key for a builder's volumes.",
    "WakeTheMachine": "Wake a rollout that waits. Knows no resources: the task token is the key.",
    "WithWhatABuilderHasOfItsOwn": "Launch with the builder's image, subnet, interfaces and disks; "
    "see [launches](#launches).",
    "WithWhatTheTemplateNames": "Launch with what the fleet's template names; see "
    "[launches](#launches).",
}
# What SAM writes by itself, by the end of the policy's name.
OF_SAM = {
    "OnFailureSQSPolicy": "Keep an event that the function failed on.",
}
# What every function has, told once on the page.
OF_AWS = {"RunPolicy"}
