"""A broadcast to very many people in one process: paced, paused, cut off twice; accepted sends are recipients, each once."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from clock import system_now
from domain.definitions.broadcast import SendRate
from domain.deliveries import microseconds
from services.broadcasts import control
from services.broadcasts.recording import Recorder, Tried
from store import workspaces
from tests.support.broadcasting import Broadcasting, Quiet, broadcast
from tests.support.database import Room

PEOPLE = 20_000
CUTS = (5_000, 12_000)


class Cut(Exception):
    """The worker is gone, between a hand-over and its record."""


class Dying(Quiet):
    """Ways out of a worker that is cut off, once for each number of messages."""

    def __init__(self) -> None:
        super().__init__()
        self.cuts = list(CUTS)

    @property
    def due(self) -> bool:
        """Whether it dies now."""
        if self.cuts and self.sent.total() >= self.cuts[0]:
            self.cuts.pop(0)
            return True
        return False


class Records(Recorder):
    """Writes outcomes down until the worker dies."""

    out: Dying

    async def record(self, tried: list[Tried]) -> None:
        """Nothing, where it dies before."""
        if self.out.due:
            raise Cut
        await super().record(tried)


async def test_recipients_are_accepted_sends_each_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.broadcasts.running.Recorder", Records)
    out = Dying()
    monkeypatch.setattr(Records, "out", out, raising=False)
    cast = Broadcasting(room, quiet=out)
    await cast.define(broadcast())
    await cast.many(PEOPLE)
    ref = await cast.trigger()
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    cuts = 0
    tracemalloc.start()
    most: list[int] = []
    while True:
        try:
            turn = await cast.run(ref)
        except Cut:
            cuts += 1
            most.append(tracemalloc.get_traced_memory()[0])
            await control.pause(room.db, key)
            stood = await cast.run(ref)
            assert not stood.over
            assert not stood.more
            await control.resume(room.db, key)
            continue
        break
    most.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert (turn.state, turn.over, cuts) == ("finished", True, 2)
    rows = await room.rows(
        "SELECT delivery_id, recipient_no, attempts, status FROM deliveries WHERE workspace_id = $1 ORDER BY recipient_no"
    )
    assert [row["recipient_no"] for row in rows] == list(range(1, PEOPLE + 1))
    assert {(row["attempts"], row["status"]) for row in rows} == {(1, "delivered")}
    assert out.sent.keys() == {row["delivery_id"] for row in rows}
    # What was handed over but not on record is handed over again under its key, by which such a provider knows it.
    assert sum(count > 1 for count in out.sent.values()) <= 2 * 400
    attempts = await room.rows("SELECT count(*) AS n FROM delivery_attempts WHERE workspace_id = $1")
    assert attempts[0]["n"] == PEOPLE
    totals = await cast.totals("campaign", ref.broadcast_id)
    assert totals == {"created": PEOPLE, "sent": PEOPLE, "delivered": PEOPLE}
    # The counter of this test grows with the audience, the worker does not.
    assert most[-1] - most[0] < 12_000_000


async def test_real_time_keeps_the_rate_in_each_window(room: Room) -> None:
    cast = Broadcasting(room, quiet=Quiet())
    async with room.db.transaction() as conn:
        await conn.execute(
            "UPDATE workspaces SET sandbox = false, clock_now = NULL WHERE workspace_id = $1", room.workspace_id
        )
        await workspaces.bump_definitions(conn, room.workspace_id)
    await cast.define({"kind": "domain", "key": "main", "domain": "example.com", "use": "sending"}, broadcast())
    capture = {"kind": "provider", "key": "capture", "name": "Capture", "channel": "email", "provider": "capture"}
    await cast.define(capture)
    await cast.many(1_300)
    rate = 100
    ref = await cast.trigger(rate={"limit": rate, "per": "second"})
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    running = asyncio.create_task(cast.run(ref))
    while len(await cast.deliveries(ref)) < 1_100:
        await asyncio.sleep(0.2)
    await control.pause(room.db, key)
    await running
    await control.resume(room.db, key)
    await control.set_rate(room.db, key, SendRate(limit=rate * 10, per="second"))
    assert (await cast.run(ref)).over
    rows = await room.rows(
        "SELECT (metrics ->> 'sent')::bigint AS sent FROM deliveries WHERE workspace_id = $1 ORDER BY 1"
    )
    began = rows[0]["sent"]
    in_ten_seconds = sum(row["sent"] < began + 10_000_000 for row in rows)
    assert abs(in_ten_seconds - 10 * rate) <= 50, in_ten_seconds
    assert rows[-1]["sent"] <= microseconds(system_now())
