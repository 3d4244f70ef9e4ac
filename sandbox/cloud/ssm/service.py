"""Systems Manager as one service."""

from __future__ import annotations

from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.kernel import Kernel, Operation
from sandbox.cloud.machines import Machines
from sandbox.cloud.ssm.agents import Agents
from sandbox.cloud.ssm.commands import Commands
from sandbox.cloud.ssm.parameters import Parameters


class Ssm:
    """Run Command on the instances of EC2, and Parameter Store."""

    def __init__(self, kernel: Kernel, ec2: Ec2, machines: Machines) -> None:
        self.agents = Agents(kernel, ec2)
        self.commands = Commands(kernel, self.agents, machines)
        self.parameters = Parameters(kernel, ec2.images.is_available)

    def operations(self) -> dict[str, Operation]:
        return {
            **self.agents.operations(),
            **self.commands.operations(),
            **self.parameters.operations(),
        }
