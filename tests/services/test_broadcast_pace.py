"""The rate of a broadcast: evenly spread, never a burst, whatever came in between (CHN-15)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from domain.definitions.broadcast import SendRate
from domain.deliveries import microseconds
from domain.pacing import Pace
from services.broadcasts import control
from tests.support.broadcasting import Broadcasting, Quiet, broadcast
from tests.support.database import START, Room

TEN = timedelta(seconds=10)


async def instants(cast: Broadcasting) -> list[float]:
    """When each message was sent, in seconds since the beginning."""
    rows = await cast.room.rows(
        "SELECT (metrics ->> 'sent')::bigint AS sent FROM deliveries WHERE workspace_id = $1 ORDER BY 1"
    )
    began = int(START.timestamp() * 1_000_000)
    return [(row["sent"] - began) / 1_000_000 for row in rows]


def most_in_ten_seconds(sent: list[float]) -> int:
    first, most = 0, 0
    for last, at in enumerate(sent):
        while sent[first] <= at - 10:
            first += 1
        most = max(most, last - first + 1)
    return most


async def test_each_ten_seconds_see_as_many_as_the_rate_says(room: Room) -> None:
    cast = Broadcasting(room, quiet=Quiet())
    await cast.define(broadcast())
    await cast.many(400)
    ref = await cast.trigger(rate={"limit": 1_200, "per": "minute"})
    while not (await cast.run(ref)).over:
        await cast.next()
    sent = await instants(cast)
    assert len(sent) == 400
    windows = Counter(int(at // 10) for at in sent)
    assert all(abs(windows[window] - 200) <= 10 for window in range(2)), windows
    assert most_in_ten_seconds(sent) <= 210


async def test_few_in_an_hour_go_one_by_one(room: Room) -> None:
    cast = Broadcasting(room)
    await cast.define(broadcast())
    await cast.people("ann", "bob", "cid")
    ref = await cast.trigger(rate={"limit": 100, "per": "hour"})
    assert "goes on at" in (await cast.run(ref)).details
    gaps = []
    while not (await cast.run(ref)).over:
        gaps.append(await cast.next())
    assert await instants(cast) == [0.0, 36.0, 72.0]
    assert gaps == [timedelta(seconds=36)] * 2


async def test_neither_a_pause_nor_a_clock_that_was_set_is_made_up_for(room: Room) -> None:
    cast = Broadcasting(room, quiet=Quiet())
    await cast.define(broadcast())
    await cast.many(400)
    ref = await cast.trigger(rate={"limit": 10, "per": "second"})
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    for _ in range(20):
        await cast.run(ref)
        await cast.next()
    await control.pause(room.db, key)
    await room.move(minutes=5)
    await control.resume(room.db, key)
    for _ in range(20):
        await cast.run(ref)
        await cast.next()
    await room.move(hours=1)
    for _ in range(20):
        await cast.run(ref)
        await cast.next()
    assert most_in_ten_seconds(await instants(cast)) <= 101


async def test_another_rate_holds_from_now_on(room: Room) -> None:
    cast = Broadcasting(room, quiet=Quiet())
    await cast.define(broadcast())
    await cast.many(300)
    ref = await cast.trigger(rate={"limit": 1, "per": "hour"})
    key = (ref.workspace_id, ref.broadcast_id, ref.trigger_no)
    await cast.run(ref)
    assert len(await cast.deliveries(ref)) == 1
    await cast.woken()
    row = await control.set_rate(room.db, key, SendRate(limit=100, per="second"))
    assert (row.send_rate, await cast.woken()) == ({"limit": 100, "per": "second"}, [ref.trigger_no])
    await cast.run(ref)
    await cast.next()
    await cast.run(ref)
    assert await instants(cast) == [0.0] * 11 + [0.1] * 10
    await control.set_rate(room.db, key, None)
    assert (await cast.run(ref)).over
    assert len(await cast.deliveries(ref)) == 300


async def test_real_time_is_never_ahead_of_the_rate(room: Room) -> None:
    cast = Broadcasting(room, quiet=Quiet())
    async with room.db.transaction() as conn:
        await conn.execute(
            "UPDATE workspaces SET sandbox = false, clock_now = NULL WHERE workspace_id = $1", room.workspace_id
        )
    capture = {"kind": "provider", "key": "capture", "name": "Capture", "channel": "email", "provider": "capture"}
    await cast.define(
        {"kind": "domain", "key": "main", "domain": "example.com", "use": "sending"}, capture, broadcast()
    )
    await cast.many(60)
    ref = await cast.trigger(rate={"limit": 50, "per": "second"})
    assert (await cast.run(ref)).over
    rows = await cast.deliveries(ref)
    assert {row["status"] for row in rows} == {"delivered"}
    assert len(rows) == 60
    state = await cast.state(ref)
    paced = timedelta(seconds=(state["rate_sent"] - 5) / 50)
    last = max(row["metrics"]["sent"] for row in rows)
    # The last chunk of five goes when its turn has come; that the others did not go before theirs follows.
    assert last >= microseconds(state["rate_since"] + paced)
    assert await cast.due() == [], "so short a rest is not worth a row"


def test_what_was_missed_is_forgotten_but_for_a_moment() -> None:
    pace = Pace(100.0, START, 10)
    assert (pace.chunk, pace.allowed(START), pace.until(10)) == (10, 0, START + timedelta(seconds=0.1))
    late = pace.kept_up(START + timedelta(hours=1))
    assert late.since > START
    assert _sent_at_once(late, START + timedelta(hours=1)) == 25
    assert pace.kept_up(START - TEN) == Pace(100.0, START - TEN, 0)


def _sent_at_once(pace: Pace, now: datetime) -> int:
    sent = 0
    while count := pace.allowed(now):
        sent, pace = sent + count, Pace(pace.per_second, pace.since, pace.sent + count)
    return sent
