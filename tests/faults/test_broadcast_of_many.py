"""A broadcast to very many people in one process: paused, cut off twice; accepted sends are recipients, each once."""

from __future__ import annotations

import resource
from collections.abc import Sequence

import pytest

from services.broadcasts import control
from services.broadcasts.recording import Recorder, Tried
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

    async def record(self, tried: Sequence[Tried]) -> None:
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
    most: list[int] = []
    while True:
        try:
            turn = await cast.run(ref)
        except Cut:
            cuts += 1
            most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            await control.pause(room.db, key)
            stood = await cast.run(ref)
            assert not stood.over
            assert not stood.more
            await control.resume(room.db, key)
            continue
        break
    most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
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
    # In kilobytes: what counts the messages here grows with the audience, the worker does not.
    assert most[-1] - most[0] < 60_000
