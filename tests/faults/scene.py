"""Load on a sandbox and on a normal workspace, and the proof that each call counted once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.faults import proof
from tests.faults.deployment import Deployment, walk
from tests.support.load import Load


@dataclass
class Scene:
    """Two workspaces of one deployment under load at once: mail is captured in one and leaves by SMTP in the other."""

    deployment: Deployment
    sandbox: Load
    normal: Load

    @classmethod
    async def make(cls, deployment: Deployment) -> Scene:
        """Fresh workspaces with running campaigns and known people."""
        sandbox = Load(await deployment.sandbox(walk(None)), "captured")
        normal = Load(await deployment.normal(walk("PT1S")), "mailed")
        for load in (sandbox, normal):
            await load.workspace.start("walk")
            await load.prepare()
        return cls(deployment, sandbox, normal)

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Both loads running."""
        async with self.sandbox.running(), self.normal.running():
            yield

    async def more(self, calls: int) -> None:
        """Return when each workspace has accepted so many further calls."""
        for load in (self.sandbox, self.normal):
            await load.more(calls)

    async def verify(self) -> list[str]:
        """Everybody gets through; a call answered 2xx has its effect exactly once, any other at most once.

        Returns the subjects of the messages by SMTP of which nobody can tell whether they were taken.
        """
        for load in (self.sandbox, self.normal):
            await self.deployment.everybody_through(load.workspace)
            happened = await proof.facts_once(self.deployment, load)
            await proof.journeys_once(self.deployment, load.workspace, happened, paused=load is self.normal)
        await proof.captured_once(self.deployment, self.sandbox.workspace)
        return await proof.mailed_once(self.deployment, self.normal.workspace)
