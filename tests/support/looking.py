"""A workspace filled row by row, for tests of everything that only looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.captured import CapturedMail, FaultRule
from domain.ids import ulid
from services import definitions
from store import deliveries, journeys, mailbox, people, workspaces
from store.database import Database
from store.deliveries import DeliveryRow
from store.journeys import JourneyRow, StepRow
from store.people import ActivityRow, MembershipRow, PersonRow

START = datetime(2026, 1, 1, 10, 0, tzinfo=UTC)
UNIX = 1_767_261_600
WELCOME = {
    "kind": "campaign",
    "key": "welcome",
    "name": "Welcome",
    "trigger": {"type": "event", "event": "signed_up"},
    "workflow": {
        "start": "hello",
        "blocks": {
            "hello": {
                "type": "email",
                "name": "Say hello",
                "sending_state": "automatic",
                "message": {"subject": "Hi", "body": "<p>Hi</p>"},
                "next": "pause",
            },
            "pause": {"type": "time_delay", "name": "Take a breath", "duration": "P1D", "next": "trip"},
            "trip": {"type": "wait_until", "paths": [{"key": "left", "event_time": {"field": "departs_at"}}]},
        },
    },
}
PAYING = {
    "kind": "segment",
    "key": "paying",
    "name": "Paying <customers>",
    "description": "Anybody on a paid plan",
    "conditions": {"attribute": {"field": "plan", "value": "pro"}},
}
OTHER = {**WELCOME, "key": "other", "name": "Other"}


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    return round(instant.timestamp()) * 1_000_000


@dataclass
class Scene:
    """One workspace; `campaigns`, `actions` and `segments` hold ids by key."""

    db: Database
    workspace_id: int
    now: datetime = START
    campaigns: dict[str, int] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)
    made: int = 0

    async def define(self, *documents: dict[str, Any]) -> None:
        """Apply definitions and note their ids."""
        await definitions.apply(self.db, self.workspace_id, {"definitions": list(documents)}, now=self.now)
        async with self.db.transaction() as conn:
            rows = await conn.fetch(
                "SELECT kind, key, definition_id, actions FROM definitions WHERE workspace_id = $1", self.workspace_id
            )
            await workspaces.bump_definitions(conn, self.workspace_id)
        self.campaigns = {row["key"]: row["definition_id"] for row in rows if row["kind"] == "campaign"}
        self.segments = {row["key"]: row["definition_id"] for row in rows if row["kind"] == "segment"}
        self.actions = next((row["actions"] for row in rows if row["key"] == "welcome"), {})

    async def person(self, key: str | None, email: str | None = None, /, **attributes: Any) -> int:
        """A person; returns the internal number."""
        async with self.db.transaction() as conn:
            (number,) = await people.new_ids(conn, 1)
            times = {name: micros(self.now) for name in attributes}
            row = PersonRow(number, key, email, attributes, times, self.now, self.now)
            await people.insert(conn, self.workspace_id, [row])
            names = {("id", key): number, ("email", email.casefold() if email else None): number}
            known = {name: owner for name, owner in names.items() if name[1] is not None}
            await people.save_names(conn, self.workspace_id, [], known)
        return number

    async def journey(self, person: int, /, at: datetime | None = None, **values: Any) -> JourneyRow:
        """A journey through `welcome`, waiting in `pause` unless the values say otherwise."""
        self.made += 1
        started = at or self.now
        event = {"name": "signed_up", "type": "event", "id": None, "timestamp": micros(started) // 1_000_000}
        event |= {"at": started.isoformat(), "seq": self.made, "data": values.pop("data", {"plan": "pro"})}
        row = JourneyRow(
            workspace_id=self.workspace_id,
            journey_id=ulid(
                micros(started) // 1000, self.made.to_bytes(5, "big") + self.workspace_id.to_bytes(5, "big")
            ),
            workflow_id=f"journey/1/{person}/{self.made}",
            campaign_id=self.campaigns.get("welcome", 1),
            person_id=person,
            entry=str(self.made),
            single=False,
            state="in_progress",
            version=1,
            started_at=started,
            started_seq=self.made,
            created_at=started,
            trigger={"event": event},
            block="pause",
            arrived_at=started,
            due_at=started + timedelta(days=1),
            wait={"due_at": (started + timedelta(days=1)).isoformat()},
        )
        for name, value in values.items():
            setattr(row, name, value)
        async with self.db.transaction() as conn:
            await journeys.insert(conn, [row])
        return row

    async def ended(self, person: int, reason: str, explanation: str | None = None, /, **values: Any) -> JourneyRow:
        """A journey that is over."""
        over = {"block": None, "due_at": None, "wait": None, "ended_at": self.now + timedelta(hours=1)}
        state = "finished" if reason in ("completed", "exit_block") else "exited_early"
        return await self.journey(person, reason=reason, explanation=explanation, state=state, **over, **values)

    async def step(self, journey: JourneyRow, block: str, outcome: str = "done", /, **values: Any) -> StepRow:
        """A step of a journey."""
        journey.steps += 1
        row = StepRow(
            workspace_id=self.workspace_id,
            journey_id=journey.journey_id,
            action_id=self.actions.get(block, journey.steps),
            started_at=journey.started_at,
            seq_num=journey.steps,
            block=block,
            output_type=values.pop("output_type", "email"),
            outcome=outcome,
            effect={"type": "goto", "next": None},
            created_at=values.pop("at", journey.started_at),
            **values,
        )
        async with self.db.transaction() as conn:
            await journeys.add_steps(conn, [row])
        return row

    async def delivery(
        self, delivery_id: str, person: int | None, /, at: datetime | None = None, keep: bool = True, **values: Any
    ) -> DeliveryRow:
        """A delivery with its content; delivered two seconds after it was made unless the values say otherwise."""
        made = at or self.now
        sent = {"sent": micros(made) + 1_000_000, "delivered": micros(made) + 2_000_000}
        rendered = values.pop("rendered", None) or content(values.get("subject", "Hi"))
        row = DeliveryRow(
            workspace_id=self.workspace_id,
            delivery_id=delivery_id,
            channel="email",
            status=values.pop("status", "delivered"),
            created_at=made,
            person_id=person,
            metrics=values.pop("metrics", sent),
            recipient=values.pop("recipient", "ann@example.com"),
            subject=values.pop("subject", "Hi"),
            **values,
        )
        async with self.db.transaction() as conn:
            await deliveries.insert(conn, row, rendered)
            if not keep:
                await conn.execute("DELETE FROM delivery_contents WHERE delivery_id = $1", delivery_id)
        return row

    async def attempt(self, row: DeliveryRow, outcome: str, answer: str) -> None:
        """One hand-over of a delivery."""
        row.attempts += 1
        async with self.db.transaction() as conn:
            await deliveries.add_attempt(conn, row, self.now, provider="relay", outcome=outcome, answer=answer)
            await deliveries.save(conn, row)

    async def captured(self, delivery_id: str, to: str, /, at: datetime | None = None, **values: Any) -> None:
        """A message in the mailbox."""
        mail = CapturedMail(
            workspace_id=self.workspace_id,
            delivery_id=delivery_id,
            attempt=1,
            purpose="delivery",
            channel="email",
            recipients=(to,),
            sender='"Team" <team@example.com>',
            at=at or self.now,
            rendered=values.pop("rendered", None) or content("Hi"),
            raw=values.pop("raw", b"Subject: Hi\r\n\r\nHello\r\n"),
            **values,
        )
        async with self.db.transaction() as conn:
            await mailbox.take(conn, mail)

    async def fault(self, **rule: Any) -> None:
        """A rule by which capture misbehaves."""
        async with self.db.transaction() as conn:
            await mailbox.replace_faults(conn, self.workspace_id, [FaultRule(channel="email", **rule)])

    async def activity(
        self, person: int, kind: str, name: str | None, data: Any, /, at: datetime | None = None
    ) -> None:
        """A line of the activity log."""
        self.made += 1
        row = ActivityRow(person, kind, name, data, at or self.now, self.now, self.made)
        async with self.db.transaction() as conn:
            await people.insert_activities(conn, self.workspace_id, [row], self.now)

    async def member(self, person: int, segment: str) -> None:
        """Put a person into a segment."""
        row = MembershipRow(person, "segment", self.segments[segment], True, self.now, None)
        async with self.db.transaction() as conn:
            await people.save_memberships(conn, self.workspace_id, [row], [])


def content(subject: str, html: str = "<p>Hello</p>", text: str = "Hello") -> dict[str, Any]:
    """What is rendered for an email."""
    fields = {"subject": subject, "preheader": "Soon", "from": '"Team" <team@example.com>', "to": "ann@example.com"}
    headers = [{"name": "X-Topic", "value": "news"}]
    return {"channel": "email", "fields": fields, "headers": headers, "html": html, "text": text, "errors": []}
