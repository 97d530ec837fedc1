"""What is reported of deliveries: status, metrics once, people and machines, repeats, age (API-10, SUB-20 to SUB-25)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.deliveries import delivery_id, microseconds
from domain.operations import DeletePerson, Identifier, Identify, ReportDelivery, TrackEvent
from domain.reports import by_machine, is_too_old
from domain.track import CallRefused, metric
from domain.values import to_unix
from services.delivery_outcomes import Outcome, applied, reported_ahead
from store import deliveries, metrics
from store.deliveries import DeliveryRow
from tests.support.database import START, Room
from tests.support.live import campaign, email, on_event

UNIX = to_unix(START)
HELLO = campaign("hello", on_event("hi"), "hello", {"hello": email("Hi")})


async def person(room: Room, name: str = "7") -> int:
    await room.apply(Identify(subject=Identifier(kind="id", value=name), attributes={"email": f"{name}@x.io"}))
    (row,) = await room.rows("SELECT person_id FROM people WHERE workspace_id = $1 AND id = $2", name)
    return row["person_id"]


async def delivery(room: Room, name: str = "d", /, **values: Any) -> str:
    """A sent email of the campaign `hello`."""
    number = delivery_id(b"k" * 32, f"{room.workspace_id}/{name}")
    row = DeliveryRow(
        room.workspace_id,
        number,
        "email",
        "sent",
        START,
        recipient="7@x.io",
        campaign_id=1,
        action_id=11,
        metrics={"sent": microseconds(START)},
        attempts=1,
    )
    async with room.db.transaction() as conn:
        await deliveries.insert(conn, replace(row, **values), {})
    return number


async def report(room: Room, number: str, metric: str, timestamp: int | None = None, /, **details: Any) -> None:
    operation = ReportDelivery(delivery_id=number, metric=metric, timestamp=timestamp, details=details)
    await room.apply(operation)


async def row_of(room: Room, number: str) -> DeliveryRow:
    async with room.db.connection() as conn:
        row = await deliveries.get(conn, room.workspace_id, number)
    assert row is not None
    return row


async def since(room: Room, number: str) -> dict[str, int]:
    """Metrics by seconds after the start."""
    row = await row_of(room, number)
    return {metric: at // 1_000_000 - UNIX for metric, at in row.metrics.items()}


async def figures(room: Room, kind: str = "campaign", ref: int = 1) -> dict[str, int]:
    async with room.db.connection() as conn:
        found = (await metrics.totals(conn, room.workspace_id, kind, [ref])).get(ref, {})
    return {metric: total for metric, total in found.items() if total}


async def lines(room: Room) -> list[tuple[str, int, dict[str, Any]]]:
    found = await room.rows(
        "SELECT type, at, data FROM activities WHERE workspace_id = $1 AND data ? 'delivery_id' ORDER BY activity_id"
    )
    return [(row["type"], to_unix(row["at"]) - UNIX, row["data"]) for row in found]


async def outcomes(room: Room) -> list[str]:
    rows = await room.rows(
        "SELECT outcome FROM ingest_log WHERE workspace_id = $1 AND op = 'report_delivery' ORDER BY seq"
    )
    return [row["outcome"] for row in rows]


async def test_sub_case_23_a_click_means_an_open_and_the_delivery(room: Room):
    number = await delivery(room, person_id=await person(room))
    await room.move(hours=1)
    await report(room, number, "clicked", UNIX + 60, recipient="7@x.io", href="https://x.io/a")
    assert await since(room, number) == {
        "sent": 0,
        "delivered": 60,
        "opened": 60,
        "clicked": 60,
        "human_clicked": 60,
        "human_opened": 60,
    }
    assert (await row_of(room, number)).status == "clicked"
    assert await figures(room) == dict.fromkeys(("delivered", "opened", "clicked", "human_clicked", "human_opened"), 1)
    assert await figures(room, "action", 11) == await figures(room)
    assert await lines(room) == [
        (
            "clicked_email",
            60,
            {"recipient": "7@x.io", "href": "https://x.io/a", "delivery_id": number},
        )
    ]


async def test_metrics_count_once_and_keep_the_earliest_time(room: Room):
    number = await delivery(room, person_id=await person(room))
    await room.move(hours=1)
    await report(room, number, "opened", UNIX + 60)
    await report(room, number, "opened", UNIX + 90)
    await report(room, number, "opened", UNIX + 30)
    assert (await since(room, number))["opened"] == 30
    assert await figures(room) == {"delivered": 1, "opened": 1, "human_opened": 1}
    assert [(kind, at) for kind, at, _ in await lines(room)] == [
        ("opened_email", 60),
        ("opened_email", 90),
        ("opened_email", 30),
    ]


async def test_sub_22_an_exact_repeat_is_dropped_and_others_are_kept(room: Room):
    number = await delivery(room, person_id=await person(room))
    same = {"recipient": "7@x.io", "href": "https://x.io/a"}
    await report(room, number, "clicked", UNIX, **same)
    await report(room, number, "clicked", UNIX, **same)
    await report(room, number, "clicked", UNIX, **same, reason="ignored")
    for other in ({"href": "https://x.io/b"}, {"recipient": "8@x.io"}):
        await report(room, number, "clicked", UNIX, **{**same, **other})
    await report(room, number, "clicked", UNIX - 1, **same)
    await report(room, number, "opened", UNIX, **same)
    assert await outcomes(room) == ["applied", "duplicate", "duplicate", *["applied"] * 4]
    assert len(await lines(room)) == 5
    assert (await figures(room))["clicked"] == 1


async def test_without_a_timestamp_it_happened_when_it_was_received(room: Room):
    number = await delivery(room, person_id=await person(room))
    await room.move(seconds=5)
    await report(room, number, "delivered")
    await report(room, number, "delivered")
    await room.move(seconds=5)
    await report(room, number, "delivered")
    await report(room, number, "opened", UNIX + 10_000)
    assert await since(room, number) == {"sent": 0, "delivered": 5, "opened": 10, "human_opened": 10}
    assert await outcomes(room) == ["applied", "duplicate", "applied", "applied"]


@pytest.mark.parametrize(
    ("reports", "prefetch", "human", "clicked"),
    [
        (["machine open"], 1, 0, 0),
        (["machine open", "open"], 1, 1, 0),
        (["open"], 0, 1, 0),
        (["open", "machine open"], 1, 1, 0),
        (["machine open", "click"], 0, 1, 1),
        (["machine click"], 0, 0, 0),
    ],
)
async def test_sub_24_people_and_machines(room: Room, reports, prefetch, human, clicked):
    number = await delivery(room, person_id=await person(room))
    for place, words in enumerate(reports):
        details = {"prefetched": True, "machine": True} if words.startswith("machine") else {}
        await report(room, number, "clicked" if "click" in words else "opened", UNIX - place, **details)
    found = await figures(room)
    known = (await row_of(room, number)).metrics
    for name, amount in (("prefetch_opened", prefetch), ("human_opened", human), ("human_clicked", clicked)):
        assert (found.get(name, 0), name in known) == (amount, bool(amount)), name
    assert found["opened"] == 1


@pytest.mark.parametrize(
    ("metric", "status", "known"),
    [
        ("bounced", "bounced", "bounced"),
        ("dropped", "suppressed", "suppressed"),
        ("spammed", "sent", "spammed"),
        ("deferred", "sent", "deferred"),
        ("delivered", "delivered", "delivered"),
    ],
)
async def test_what_relays_report(room: Room, metric, status, known):
    number = await delivery(room, person_id=await person(room))
    await report(room, number, metric, reason="550 no such user")
    row = await row_of(room, number)
    assert (row.status, known in row.metrics) == (status, True)
    assert row.failure_message == ("550 no such user" if status in ("bounced", "suppressed") else None)
    assert await figures(room) == {known: 1}
    ((kind, _, data),) = await lines(room)
    assert (kind, data["reason"]) == (f"{metric}_email", "550 no such user")


async def test_what_came_later_never_erases_what_was_reached(room: Room):
    number = await delivery(room, person_id=await person(room))
    await report(room, number, "clicked")
    await report(room, number, "bounced", reason="late")
    await report(room, number, "delivered")
    row = await row_of(room, number)
    assert row.status == "clicked"
    assert "bounced" in row.metrics


async def test_a_conversion_converts_the_journey_once(room: Room):
    await room.define(HELLO)
    await room.run_campaign("hello")
    number_of = await person(room)
    await room.move(hours=1)
    await room.apply(TrackEvent(subject=Identifier(kind="id", value="7"), name="hi"))
    (journey,) = await room.journeys()
    values = {"person_id": number_of, "journey_id": journey["journey_id"], "campaign_id": journey["campaign_id"]}
    number = await delivery(room, **values)
    await report(room, number, "converted", UNIX + 3600)
    await report(room, number, "converted", UNIX + 3500)
    (journey,) = await room.journeys()
    assert journey["converted_at"] == START + timedelta(hours=1)
    assert (await figures(room, "campaign", journey["campaign_id"]))["converted"] == 1


async def test_nothing_is_written_down_of_somebody_who_is_gone(room: Room):
    number = await delivery(room, person_id=await person(room))
    await room.apply(DeletePerson(subject=Identifier(kind="id", value="7")))
    await report(room, number, "bounced", recipient="7@x.io", reason="7@x.io is full")
    assert await lines(room) == [("bounced_email", 0, {"delivery_id": number})]
    row = await row_of(room, number)
    assert (row.status, row.failure_message, row.recipient) == ("bounced", None, None)
    assert await figures(room) == {"bounced": 1}
    kept = await room.rows("SELECT body, outcome FROM ingest_log WHERE workspace_id = $1 AND op = 'report_delivery'")
    assert kept == [{"body": b"", "outcome": "erased"}]


@pytest.mark.parametrize(("said", "machine"), [({}, False), ({"machine": False}, False), ({"prefetched": True}, True)])
def test_a_report_says_whether_a_machine_did_it(said, machine):
    (operation,) = metric({"delivery_id": "d", "metric": "opened", **said}).operations
    assert isinstance(operation, ReportDelivery)
    assert by_machine(operation.details) is machine


def test_a_report_says_so_in_a_boolean():
    with pytest.raises(CallRefused):
        metric({"delivery_id": "d", "metric": "opened", "machine": "yes"})


async def test_what_is_ignored(room: Room):
    sms = await delivery(room, "sms", channel="sms")
    await report(room, "A" * 24, "opened")
    await report(room, sms, "spammed")
    await report(room, sms, "unheard_of")
    await report(room, sms, "clicked")
    assert await outcomes(room) == ["ignored"] * 3 + ["applied"]
    assert [kind for kind, _, _ in await lines(room)] == ["clicked_twilio"]
    assert set((await row_of(room, sms)).metrics) == {"sent", "delivered", "clicked"}


async def test_sub_25_nothing_is_counted_after_six_months(room: Room):
    late = await delivery(room, "late", person_id=await person(room))
    await room.move(days=181)
    await report(room, late, "opened", UNIX + 60)
    await room.move(seconds=1)
    await report(room, late, "clicked", UNIX + 60)
    assert await outcomes(room) == ["applied", "ignored"]
    assert (await row_of(room, late)).status == "opened"


@pytest.mark.parametrize(
    ("sent", "last"),
    [
        ("2025-08-31T10:00:00", "2026-02-28T10:00:00"),
        ("2025-12-31T10:00:00", "2026-06-30T10:00:00"),
        ("2026-01-01T00:00:00", "2026-07-01T00:00:00"),
        ("2026-07-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_sub_25_months_are_those_of_the_calendar(sent, last):
    begin, end = (datetime.fromisoformat(f"{text}+00:00") for text in (sent, last))
    assert not is_too_old(begin, end)
    assert is_too_old(begin, end + timedelta(microseconds=1))


async def test_a_report_waits_for_whoever_holds_the_delivery(room: Room):
    number = await delivery(room, status="queued", metrics={"queued": 1}, attempts=0)
    await room.accept(ReportDelivery(delivery_id=number, metric="delivered", timestamp=UNIX))
    async with room.db.transaction() as conn:
        row = await deliveries.get(conn, room.workspace_id, number, for_update=True)
        assert row is not None
        other = asyncio.create_task(room.apply())
        await asyncio.wait({other}, timeout=0.3)
        assert not other.done()
        change = applied(row, Outcome("sent", "250 ok", "relay"), START)
        await deliveries.save(conn, change.row)
    await other
    row = await row_of(room, number)
    assert (row.status, row.attempts, row.provider) == ("delivered", 1, "relay")
    assert set(row.metrics) == {"queued", "sent", "delivered"}


def in_hand(**values: Any) -> DeliveryRow:
    return replace(DeliveryRow(1, "d", "email", "queued", START, handed_over_at=START), **values)


def test_an_answer_that_comes_after_a_report_fills_the_gaps():
    row = in_hand(status="delivered", metrics={"delivered": 1})
    assert reported_ahead(row)
    change = applied(row, Outcome("sent", "250 ok", "relay", "ref"), START)
    assert (change.row.status, change.row.attempts, change.row.provider_ref) == ("delivered", 1, "ref")
    assert change.reached == ("sent",)
    bounced = in_hand(status="bounced", metrics={"bounced": 1}, failure_message="no such user")
    assert applied(bounced, Outcome("sent"), START).row.failure_message == "no such user"


@pytest.mark.parametrize("result", ["unavailable", "soft_bounced"])
def test_what_has_arrived_is_not_sent_again(result):
    change = applied(in_hand(status="opened", metrics={"opened": 1}), Outcome(result, "busy"), START)
    assert (change.row.status, change.due_at, change.row.held_until) == ("opened", None, None)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "queued"},
        {"status": "undeliverable"},
        {"status": "delivered", "handed_over_at": None},
        {"status": "delivered", "metrics": {"sent": 1}},
    ],
)
def test_other_rows_are_not_waiting_for_an_answer(values):
    assert not reported_ahead(in_hand(**values))
