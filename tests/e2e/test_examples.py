"""The examples do what they say: each is applied, started and lived through on a clock that is moved.

This is also how campaigns of one's own are tested: HTTP in, letters and journeys out, every instant exact.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from console.documents import read_sources
from settings import CHECKOUT
from tests.support.live import DAY, START, Workspace

if TYPE_CHECKING:
    from stack.description import StackDescription

pytestmark = pytest.mark.stack

HOUR, MINUTE = 3600, 60
LAVENDER, SAGE = {"name": "Lavender", "quantity": 3}, {"name": "Meadow sage"}


async def shop(sandbox: Workspace, campaign: str) -> None:
    """Apply the shop's folder and start one campaign of it."""
    await sandbox.define(*(source.value for source in read_sources(CHECKOUT / "examples" / "shop")))
    await sandbox.start(campaign)


async def letters(sandbox: Workspace, to: str) -> list[tuple[int, str]]:
    """Instants, counted from the start, and subjects of what somebody received."""
    return [(m["at"] - START, m["rendered"]["fields"]["subject"]) for m in await sandbox.mailbox(to=to)]


async def only_journey(sandbox: Workspace, customer: str) -> dict[str, Any]:
    """Somebody's only journey, with its steps."""
    (found,) = (await sandbox.get(f"/v1/customers/{customer}/journeys"))["journeys"]
    return await sandbox.journey(found["id"])


def ended(journey: dict[str, Any]) -> tuple[str, str | None, int]:
    """How a journey ended, and when, counted from the start."""
    return journey["state"], journey["reason"], journey["ended_at"] - START


async def test_welcome_comes_in_the_morning_of_each_reader(sandbox: Workspace) -> None:
    await shop(sandbox, "welcome")
    await sandbox.identify("ann", email="ann@example.com", first_name="Ann", timezone="Europe/Rome", created_at=START)
    await sandbox.identify("ben", email="ben@example.com", timezone="America/New_York", created_at=START)
    await sandbox.identify("guest", email="guest@example.com")
    await sandbox.settle()
    await sandbox.advance("P1D")
    await sandbox.identify("ann", last_viewed="meadow sage")
    await sandbox.track("ann", "plant_viewed")
    await sandbox.advance("P20D")
    # 2026-01-01 is a Thursday; three days after hello it is Sunday, so Monday at 8 in Rome (UTC+1) and New York (UTC-5).
    monday = 4 * DAY - 10 * HOUR
    assert await letters(sandbox, "ann@example.com") == [
        (10 * MINUTE, "Welcome to Larkspur, Ann"),
        (monday + 7 * HOUR, "Meadow sage, and two that keep it company"),
        (monday + 7 * HOUR + 7 * DAY, "Postage on us, once"),
    ]
    assert await letters(sandbox, "ben@example.com") == [
        (10 * MINUTE, "Welcome to Larkspur"),
        (monday + 13 * HOUR, "If you do not know where to start"),
        (monday + 13 * HOUR + 7 * DAY, "Postage on us, once"),
    ]
    assert await letters(sandbox, "guest@example.com") == []
    assert ended(await only_journey(sandbox, "ben")) == ("finished", "completed", monday + 13 * HOUR + 7 * DAY)


async def test_welcome_ends_with_the_first_order(sandbox: Workspace) -> None:
    await shop(sandbox, "welcome")
    await sandbox.identify("ann", email="ann@example.com", created_at=START)
    await sandbox.settle()
    await sandbox.advance("PT3H")
    await sandbox.track("ann", "order_placed", {"total": 18})
    await sandbox.settle()
    journey = await only_journey(sandbox, "ann")
    assert ended(journey) == ("exited_early", "goal", 3 * HOUR)
    assert journey["converted_at"] == START + 3 * HOUR
    await sandbox.advance("P20D")
    assert await letters(sandbox, "ann@example.com") == [(10 * MINUTE, "Welcome to Larkspur")]


async def test_welcome_letters_are_complete(sandbox: Workspace) -> None:
    await shop(sandbox, "welcome")
    await sandbox.identify("ann", email="ann@example.com", first_name="Ann", created_at=START)
    await sandbox.settle()
    await sandbox.advance("PT10M")
    (letter,) = await sandbox.mailbox(to="ann@example.com")
    assert letter["rendered"]["fields"]["from"] == '"Nora at Larkspur" <nora@larkspur.example>'
    assert (letter["campaign"], letter["block"]) == ("welcome", "hello")
    html, text = letter["rendered"]["html"], letter["rendered"]["text"]
    assert "LARKSPUR" in html
    assert "Good to have you here, Ann." in text
    assert "utm_source=larkspur" in html
    assert "/unsubscribe/" in html
    assert "{{" not in html + text
    assert "{%" not in html + text


async def test_only_the_newest_cart_is_written_about(sandbox: Workspace) -> None:
    await shop(sandbox, "cart-reminder")
    await sandbox.identify("carla", email="carla@example.com", first_name="Carla")
    await sandbox.track("carla", "cart_updated", {"items": [LAVENDER]})
    await sandbox.advance("PT40M")
    await sandbox.track("carla", "cart_updated", {"items": [LAVENDER, SAGE]})
    await sandbox.settle()
    older, newer = await sandbox.journeys(campaign="cart-reminder", customer="carla")
    assert ended(older) == ("finished", "exit_block", 40 * MINUTE)
    assert newer["position"]["due_at"] == START + 100 * MINUTE
    await sandbox.advance("P3D")
    assert await letters(sandbox, "carla@example.com") == [
        (100 * MINUTE, "We keep your lavender for you"),
        (100 * MINUTE + DAY, "Back on the bench this evening"),
    ]
    first, last = await sandbox.mailbox(to="carla@example.com")
    assert "3 x Lavender" in first["rendered"]["text"]
    assert "1 x Meadow sage" in first["rendered"]["text"]
    assert "2 plants go" in last["rendered"]["text"]


async def test_who_empties_the_cart_hears_nothing(sandbox: Workspace) -> None:
    await shop(sandbox, "cart-reminder")
    await sandbox.identify("carla", email="carla@example.com")
    await sandbox.track("carla", "cart_updated", {"items": [LAVENDER]})
    await sandbox.advance("PT5M")
    await sandbox.track("carla", "cart_updated", {"emptied": True})
    await sandbox.advance("P3D")
    assert await letters(sandbox, "carla@example.com") == []
    assert ended(await only_journey(sandbox, "carla")) == ("finished", "exit_block", 5 * MINUTE)


async def test_an_order_stops_the_cart_reminder(sandbox: Workspace) -> None:
    await shop(sandbox, "cart-reminder")
    for who in ("carla", "dan"):
        await sandbox.identify(who, email=f"{who}@example.com")
        await sandbox.track(who, "cart_updated", {"items": [SAGE]})
    await sandbox.settle()
    await sandbox.advance("PT59M")
    await sandbox.track("dan", "order_placed", {"total": 5})
    await sandbox.advance("PT2M")
    await sandbox.track("carla", "order_placed", {"total": 5})
    await sandbox.advance("P3D")
    assert await letters(sandbox, "dan@example.com") == []
    assert await letters(sandbox, "carla@example.com") == [(HOUR, "We keep your meadow sage for you")]
    assert ended(await only_journey(sandbox, "dan")) == ("exited_early", "goal", 59 * MINUTE)
    assert ended(await only_journey(sandbox, "carla")) == ("exited_early", "goal", 61 * MINUTE)


async def attributes(sandbox: Workspace, customer: str) -> dict[str, Any]:
    """Somebody's attributes."""
    found: dict[str, Any] = (await sandbox.get(f"/v1/customers/{customer}/attributes"))["customer"]["attributes"]
    return found


async def test_the_planner_notes_how_far_people_come(sandbox: Workspace) -> None:
    await shop(sandbox, "planner")
    for who in ("dev", "lea"):
        await sandbox.identify(who, email=f"{who}@example.com")
    await sandbox.track("dev", "planner_started", {"square_metres": 140, "name": " Old orchard "})
    await sandbox.track("lea", "planner_started", {"square_metres": 12})
    await sandbox.settle()
    assert (await attributes(sandbox, "dev"))["planner_stage"] == "started"
    await sandbox.advance("P1D")
    await sandbox.track("dev", "bed_planned", {"plants": 5})
    await sandbox.settle()
    await sandbox.advance("P9D")
    assert await letters(sandbox, "dev@example.com") == [
        (0, "Plan rooms first, plants later"),
        (DAY, "Your first bed is a good one"),
    ]
    assert await letters(sandbox, "lea@example.com") == [
        (0, "One bed is enough for a start"),
        (3 * DAY, "Shall we draw it for you?"),
    ]
    assert (await attributes(sandbox, "dev"))["planner_stage"] == "active"
    assert (await attributes(sandbox, "lea"))["planner_stage"] == "quiet"
    assert ended(await only_journey(sandbox, "dev")) == ("finished", "completed", DAY)
    assert ended(await only_journey(sandbox, "lea")) == ("finished", "exit_block", 3 * DAY)
    segments = (await sandbox.get("/v1/customers/dev/segments"))["segments"]
    assert {"active-planners", "gardeners"} <= {segment["key"] for segment in segments}
    first = (await sandbox.mailbox(to="dev@example.com"))[0]["rendered"]["text"]
    assert "140 square metres" in first
    assert "my garden" in (await sandbox.mailbox(to="lea@example.com"))[0]["rendered"]["text"]


async def test_regulars_come_and_go_by_the_clock(sandbox: Workspace) -> None:
    await shop(sandbox, "welcome")
    await sandbox.identify("ann", email="ann@example.com")
    await sandbox.track("ann", "order_placed")
    await sandbox.advance("P30D")
    await sandbox.track("ann", "order_placed")
    await sandbox.settle()

    async def segments() -> set[str]:
        return {found["key"] for found in (await sandbox.get("/v1/customers/ann/segments"))["segments"]}

    assert await segments() == {"customers", "regulars"}
    await sandbox.advance("P61D")
    assert await segments() == {"customers"}


async def test_a_receipt_and_a_frost_warning_are_asked_for(sandbox: Workspace) -> None:
    await shop(sandbox, "welcome")
    for name in ("ann", "ben", "carla"):
        await sandbox.identify(name, email=f"{name}@example.com", first_name=name.title())
    for name in ("ann", "ben"):
        await sandbox.track(name, "order_placed", {"total": 9.5})
    receipt = {"transactional_message_id": "receipt", "to": "ann@example.com", "identifiers": {"id": "ann"}}
    await sandbox.call("POST", "/v1/send/email", {**receipt, "message_data": {"order": "L-1", "total": "9.50"}})
    await sandbox.call("POST", "/v1/broadcasts/frost-warning/start")
    await sandbox.settle()
    said = {"data": {"region": "the hills", "degrees": -9}}
    await sandbox.call("POST", "/v1/campaigns/frost-warning/triggers", said)
    await sandbox.settle()
    frost = "Frost tonight in the hills: -9 degrees"
    assert await letters(sandbox, "ann@example.com") == [(0, "Your order L-1"), (0, frost)]
    assert await letters(sandbox, "ben@example.com") == [(0, frost)]
    assert await letters(sandbox, "carla@example.com") == [], "whoever has not ordered is no customer"
    (slip, warning) = (mail["rendered"]["html"] for mail in await sandbox.mailbox(to="ann@example.com"))
    assert "Thank you, Ann." in slip
    assert "<b>9.50</b>" in slip
    assert "Stop these letters" not in slip
    assert "Stop these letters" in warning


async def test_ppl_29_the_everyday_segments(sandbox: Workspace) -> None:
    await sandbox.identify("lead", email="lead@example.com")
    await sandbox.identify("free", created_at=START, plan="free")
    await sandbox.identify("pro", created_at=START, plan="pro", unsubscribed="TRUE")
    await sandbox.identify("out", unsubscribed=1)
    await sandbox.settle()
    await sandbox.define(*(source.value for source in read_sources(CHECKOUT / "examples" / "segments")))
    await sandbox.settle()

    async def members(key: str) -> set[str]:
        return set((await sandbox.get(f"/v1/segments/{key}/membership"))["ids"])

    assert await members("signed-up") == {"free", "pro"}
    assert await members("paying-customers") == {"pro"}
    assert await members("unsubscribed") == {"pro", "out"}
    assert await members("not-seen-recently") == set()
    await sandbox.advance("P20D")
    await sandbox.track("free", "https://larkspur.example/", type="page")
    await sandbox.settle()
    await sandbox.advance("P10D")
    assert await members("not-seen-recently") == {"lead", "pro", "out"}
    await sandbox.advance("P20D")
    assert await members("not-seen-recently") == {"lead", "free", "pro", "out"}


async def until(found: Any, seconds: float = 30.0) -> Any:
    """What a question answers as soon as it answers anything; real time passes here."""
    async with asyncio.timeout(seconds):
        while not (answer := await found()):  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.1)
    return answer


async def test_the_live_example_takes_real_time_and_real_smtp(stack: StackDescription, http: httpx.AsyncClient) -> None:
    made = await Workspace.create(stack, http, sandbox=False, name="live example")
    sink = {"host": stack.smtp.host, "port": stack.smtp.port}
    provider = {"kind": "provider", "key": "sink", "channel": "email", "provider": "smtp", "config": sink}
    await made.define(provider, *(source.value for source in read_sources(CHECKOUT / "examples" / "live")))
    await made.start("after-order")
    await made.identify("eve", email="eve@example.com", first_name="Eve")
    await made.track("eve", "order_placed", {"plant": "Meadow Sage"})

    async def received(number: int) -> list[dict[str, Any]] | None:
        found = await made.mailbox(to="eve@example.com")
        return found if len(found) >= number else None

    (first,) = await until(lambda: received(1))
    (journey,) = await made.journeys(campaign="after-order")
    assert first["rendered"]["fields"]["subject"] == "Your meadow sage is on its way"
    assert first["at"] - journey["started_at"] >= 3
    await made.track("eve", "review_left", {"stars": 5})
    _, second = await until(lambda: received(2))
    assert second["rendered"]["fields"]["subject"] == "Thank you for your words"
    assert second["at"] - first["at"] < 20, "the review wakes the journey long before its longest wait is over"

    async def over() -> bool:
        return (await made.journey(journey["id"]))["state"] == "finished"

    assert await until(over)
