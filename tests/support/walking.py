"""Journeys walked as the workers walk them, without Temporal: its activities called in order, due rows worked on."""

from __future__ import annotations

from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.journeys import JourneyActivities
from activities.messages import MessageActivities
from channels import Channels
from clock import system_now
from domain.captured import FaultRule
from domain.steps import AdvanceInput, DeliverMessageInput, StepResult
from services.deliveries import Deliverer
from store import mailbox
from store.deliveries import RETRIES
from store.notify import Notifier
from tests.support.database import Room

LINKS = "https://mail.example.com"


class Walk:
    """A workspace whose journeys are walked."""

    def __init__(self, room: Room, **options: Any) -> None:
        self.room = room
        self.deliverer = Deliverer(room.db, room.catalogs, Channels(), link_base_url=LINKS, **options)
        notifier = Notifier(room.db.pool)
        self._planning = JourneyActivities(room.db, room.catalogs, notifier, system_now)
        self._sending = MessageActivities(room.db, room.catalogs, notifier, self.deliverer, system_now)

    async def go(self) -> None:
        """Walk every journey that is wanted as far as it goes."""
        while found := await self.room.rows(
            "SELECT journey_id FROM journeys WHERE workspace_id = $1 AND state = 'in_progress' AND seen < wanted"
        ):
            for row in found:
                await self.one(row["journey_id"])

    async def one(self, journey_id: str) -> StepResult:
        """Walk one journey until it waits or is over."""
        step = await self.advance(journey_id)
        while step.kind == "deliver":
            step = await self.deliver(journey_id, step)
        return step

    async def advance(self, journey_id: str) -> StepResult:
        """Plan one journey."""
        call = AdvanceInput(workspace_id=self.room.workspace_id, journey_id=journey_id, why="wake")
        answer: StepResult = await ActivityEnvironment().run(self._planning.advance, call)
        return answer

    async def deliver(self, journey_id: str, step: StepResult) -> StepResult:
        """Deliver the message at which a plan has stopped."""
        assert step.block is not None
        assert step.action_id is not None
        call = DeliverMessageInput(
            workspace_id=self.room.workspace_id, journey_id=journey_id, block=step.block, action_id=step.action_id
        )
        answer: StepResult = await ActivityEnvironment().run(self._sending.deliver_message, call)
        return answer

    async def due(self) -> list[dict[str, Any]]:
        """The deliveries that are to be tried again, soonest first."""
        return await self.room.rows(
            "SELECT due_at, kind, ref FROM due WHERE workspace_id = $1 AND kind = ANY($2::text[]) ORDER BY due_at, ref",
            list(RETRIES),
        )

    async def work(self) -> None:
        """Work on every delivery that is due, then walk whoever was woken; what belongs to others is applied."""
        for row in await self.due():
            if row["due_at"] <= self.room.now:
                await self.deliverer.retry(self.room.workspace_id, row["ref"], system_now)
        await self.room.apply()
        await self.go()

    async def next(self) -> float:
        """Move the clock to the next delivery that is due and work on it; returns how many seconds that took."""
        (first, *_) = await self.due()
        span = (first["due_at"] - self.room.now).total_seconds()
        await self.room.move(seconds=span)
        await self.work()
        return span

    async def faults(self, *rules: dict[str, Any]) -> None:
        """Have the mailbox misbehave."""
        async with self.room.db.transaction() as conn:
            given = [FaultRule.model_validate(rule) for rule in rules]
            await mailbox.replace_faults(conn, self.room.workspace_id, given)

    async def deliveries(self, block: str) -> list[dict[str, Any]]:
        """The deliveries of a block, oldest first."""
        return await self.room.rows(
            "SELECT * FROM deliveries WHERE workspace_id = $1 AND block = $2 ORDER BY created_at, delivery_id", block
        )

    async def delivery(self, block: str) -> dict[str, Any]:
        """The only delivery of a block."""
        (row,) = await self.deliveries(block)
        return row

    async def attempts(self) -> list[dict[str, Any]]:
        """Every attempt, oldest first."""
        return await self.room.rows("SELECT * FROM delivery_attempts WHERE workspace_id = $1 ORDER BY at, attempt")

    async def mailbox(self) -> list[dict[str, Any]]:
        """What the mailbox has taken and refused, oldest first."""
        return await self.room.rows("SELECT * FROM mailbox WHERE workspace_id = $1 ORDER BY captured_id")

    async def steps(self) -> dict[str, dict[str, Any]]:
        """The steps of the only journey by their block."""
        rows = await self.room.rows("SELECT * FROM journey_steps WHERE workspace_id = $1 ORDER BY seq_num")
        return {row["block"]: row for row in rows}

    async def close(self) -> None:
        """Close what was opened."""
        await self.deliverer.close()
