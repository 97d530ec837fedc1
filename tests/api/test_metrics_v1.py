"""Figures of messages over time (SUB-25, APP-04 to APP-06, APP-08)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from api.app_api.metrics import LinkMetrics, Metrics
from services.looking.delivery_metrics import METRICS, trigger_figures
from store import message_events
from store.message_events import MessageEvent
from tests.api.test_app_messages import NEWS, RECEIPT, get, number
from tests.support.looking import START, WELCOME, Scene, micros

CHATTY: dict[str, Any] = {
    **NEWS,
    "key": "chatty",
    "workflow": {
        "start": "mail",
        "blocks": {
            "mail": {
                "type": "email",
                "sending_state": "automatic",
                "message": {
                    "subject": "Hi",
                    "body": "<p>Hi</p>",
                    "languages": {"fr": {"subject": "Salut", "body": "<p>Salut</p>"}},
                },
            }
        },
    },
}


@pytest.fixture
async def here(workspace: Any) -> Scene:
    made = Scene(workspace.db, workspace.id)
    async with workspace.db.transaction() as conn:
        await conn.execute("UPDATE workspaces SET clock_now = $2 WHERE workspace_id = $1", workspace.id, START)
    await made.define(WELCOME, NEWS, RECEIPT)
    return made


async def series(workspace: Any, path: str, **params: Any) -> dict[str, list[int]]:
    answer = await get(workspace, path, **params)
    Metrics.model_validate(answer)
    found: dict[str, list[int]] = answer["metric"]["series"]
    assert tuple(found) == METRICS
    return {name: counts for name, counts in found.items() if any(counts)}


async def links(workspace: Any, path: str, **params: Any) -> dict[str, tuple[list[int], list[int], list[int]]]:
    answer = await get(workspace, path, **params)
    LinkMetrics.model_validate(answer)
    return {
        one["link"]["href"]: tuple(
            one["metric"]["series"][name] for name in ("clicked", "human_clicked", "machine_clicked")
        )
        for one in answer["links"]
    }


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


def reached(*names: str) -> dict[str, int]:
    return {name: micros(START) for name in ("created", *names)}


async def test_sub_case_26_a_message_belongs_to_the_day_of_its_making_four_hours_behind_utc(
    workspace: Any, here: Scene
) -> None:
    welcome = here.campaigns["welcome"]
    for name, made in (("before", "2026-01-01T03:59:59"), ("after", "2026-01-01T04:00:00")):
        # What becomes of it later counts on its own day.
        await here.delivery(
            name, None, at=at(made), campaign_id=welcome, action_id=1, metrics=reached("sent", "opened")
        )
    found = await series(workspace, f"/v1/campaigns/{welcome}/metrics", steps=2)
    assert found == {"created": [1, 1], "sent": [1, 1], "opened": [1, 1]}


async def test_every_series_is_there_and_as_long_as_there_are_steps(workspace: Any, here: Scene) -> None:
    for path in ("/v1/campaigns/welcome/metrics", "/v1/broadcasts/news/metrics", "/v1/transactional/receipt/metrics"):
        for params, steps in (({}, 45), ({"steps": 0}, 45), ({"steps": 1}, 2), ({"period": "months"}, 12)):
            found = (await get(workspace, path, **params))["metric"]["series"]
            assert {len(counts) for counts in found.values()} == {steps}
            assert tuple(found) == METRICS


async def test_holdouts_count_for_their_block_only(workspace: Any, here: Scene) -> None:
    welcome, hello = here.campaigns["welcome"], here.actions["hello"]
    await here.delivery("sent", None, campaign_id=welcome, action_id=hello, metrics=reached("sent", "clicked"))
    await here.delivery("held", None, campaign_id=welcome, action_id=hello, holdout=True, metrics=reached("sent"))
    await here.delivery("other", None, campaign_id=welcome, action_id=hello + 1, metrics=reached("failed"))
    whole = await series(workspace, f"/v1/campaigns/{welcome}/metrics", steps=2)
    assert whole == {"created": [0, 2], "sent": [0, 1], "clicked": [0, 1], "failed": [0, 1]}
    for action in (hello, "hello"):
        block = await series(workspace, f"/v1/campaigns/welcome/actions/{action}/metrics", steps=2)
        assert block == {"created": [0, 2], "sent": [0, 2], "clicked": [0, 1]}
    assert await series(workspace, f"/v1/campaigns/{welcome}/metrics", type="twilio") == {}


async def test_the_second_version_tells_of_a_span(workspace: Any, here: Scene) -> None:
    welcome = here.campaigns["welcome"]
    for name, made in (("a", "2025-03-29T22:59:59"), ("b", "2025-03-29T23:00:00"), ("c", "2025-03-30T22:00:00")):
        await here.delivery(name, None, at=at(made), campaign_id=welcome, action_id=1, metrics=reached("sent"))
    start, end = (int(at(text).timestamp()) for text in ("2025-03-28T23:00:00", "2025-03-31T22:00:00"))
    asked: dict[str, Any] = {"version": 2, "res": "daily", "start": start, "end": end, "tz": "Europe/Berlin"}
    answer = await get(workspace, f"/v1/campaigns/{welcome}/metrics", **asked)
    Metrics.model_validate(answer)
    assert answer["metric"]["series"]["sent"] == [1, 1, 1]
    assert answer["metric"]["start"] == "2025-03-29 00:00:00 +0100 CET"
    assert answer["metric"]["end"] == "2025-04-01 00:00:00 +0200 CEST"
    assert answer["metric"]["res"] == "daily"
    utc = await get(workspace, f"/v1/campaigns/{welcome}/metrics", **asked | {"tz": "UTC"})
    assert utc["metric"]["start"] == "2025-03-28 23:00:00 +0000 UTC"
    assert utc["metric"]["series"]["sent"] == [0, 2, 1, 0]
    for odd in (
        {"tz": "Mars/Phobos"},
        {"start": None},
        {"end": None},
        {"res": None},
        {"end": start - 1},
        {"version": 3},
    ):
        params = {name: value for name, value in {**asked, **odd}.items() if value is not None}
        await get(workspace, f"/v1/campaigns/{welcome}/metrics", 400, **params)
    await get(workspace, f"/v1/campaigns/{welcome}/metrics", 400, **asked | {"start": 0})


async def test_a_broadcast_counts_all_its_triggers_and_a_trigger_its_own(workspace: Any, here: Scene) -> None:
    news = await number(workspace, "broadcast", "news")
    action = (await get(workspace, "/v1/definitions/broadcast/news"))["status"]["actions"]["mail"]
    for n, trigger in enumerate((1, 1, 2)):
        made = {"campaign_id": news, "action_id": action, "trigger_no": trigger, "recipient_no": n}
        await here.delivery(f"b{n}", None, metrics=reached("sent", *["opened"] * (n == 1)), **made)
    for path in (
        f"/v1/broadcasts/{news}/metrics",
        f"/v1/broadcasts/{news}/actions/{action}/metrics",
        f"/v1/broadcast/{news}/actions/{action}/metrics",
    ):
        assert await series(workspace, path, steps=2) == {"created": [0, 3], "sent": [0, 3], "opened": [0, 1]}
    async with workspace.db.connection() as conn:
        figures = await trigger_figures(conn, workspace.id, news, 1)
        none = await trigger_figures(conn, workspace.id, news, 9)
    assert (figures["created"], figures["sent"], figures["opened"], figures["failed"]) == (2, 2, 1, 0)
    assert not any(none.values())


async def test_transactional_messages_have_their_own_figures(workspace: Any, here: Scene) -> None:
    receipt = await number(workspace, "transactional", "receipt")
    await here.delivery("T", None, transactional_id=receipt, metrics=reached("sent", "suppressed"))
    await here.delivery("U", None, transactional_id=1, status="queued", metrics=reached())
    path = f"/v1/transactional/{receipt}/metrics"
    assert await series(workspace, path, period="weeks", steps=2) == {
        "created": [0, 1],
        "sent": [0, 1],
        "suppressed": [0, 1],
    }
    assert await series(workspace, "/v1/transactional/1/metrics", steps=2) == {"created": [0, 1]}


async def test_links_tell_how_often_they_were_clicked_and_by_whom(workspace: Any, here: Scene) -> None:
    receipt = await number(workspace, "transactional", "receipt")
    news = await number(workspace, "broadcast", "news")
    action = (await get(workspace, "/v1/definitions/broadcast/news"))["status"]["actions"]["mail"]
    clicked = reached("sent", "clicked")
    await here.delivery("T", None, transactional_id=receipt, metrics=clicked)
    await here.delivery("Y", None, at=START - timedelta(days=1), transactional_id=receipt, metrics=clicked)
    await here.delivery("B", None, campaign_id=news, action_id=action, trigger_no=1, metrics=clicked)
    events = [
        MessageEvent(delivery, seq, "clicked", START, human=seq != 3, link=href)
        for delivery, seq, href in (
            ("T", 1, "https://x.io/a"),
            ("T", 2, "https://x.io/a"),
            ("T", 3, "https://x.io/a"),
            ("T", 4, "https://x.io/b"),
            ("Y", 5, "https://x.io/a"),
            ("B", 6, "https://x.io/a"),
        )
    ]
    async with workspace.db.transaction() as conn:
        await message_events.insert(conn, workspace.id, events)
    path = f"/v1/transactional/{receipt}/metrics/links"
    assert await links(workspace, path, steps=2) == {
        "https://x.io/a": ([1, 3], [1, 2], [0, 1]),
        "https://x.io/b": ([0, 1], [0, 1], [0, 0]),
    }
    unique = await links(workspace, path, steps=2, unique="true")
    assert unique["https://x.io/a"] == ([1, 1], [1, 1], [0, 1])
    for place in (
        "/v1/broadcasts/news/metrics/links",
        f"/v1/broadcasts/news/actions/{action}/metrics/links",
        f"/v1/broadcast/{news}/actions/{action}/metrics/links",
    ):
        assert await links(workspace, place, steps=2) == {"https://x.io/a": ([0, 1], [0, 1], [0, 0])}
    assert (await get(workspace, "/v1/campaigns/welcome/metrics/links")) == {"links": []}
    assert (await get(workspace, "/v1/campaigns/welcome/actions/hello/metrics/links")) == {"links": []}
    first = (await get(workspace, path))["links"][0]["link"]
    assert (first["href"], isinstance(first["id"], int)) == ("https://x.io/a", True)


async def test_a_block_of_several_languages_tells_each(workspace: Any, here: Scene) -> None:
    await here.define(CHATTY)
    chatty = await number(workspace, "broadcast", "chatty")
    action = (await get(workspace, "/v1/definitions/broadcast/chatty"))["status"]["actions"]["mail"]
    for n, language in enumerate((None, "fr", "fr")):
        made = {"campaign_id": chatty, "action_id": action, "trigger_no": 1, "recipient_no": n, "language": language}
        await here.delivery(f"c{n}", None, metrics=reached("sent"), **made)
    answer = await get(workspace, f"/v1/broadcasts/chatty/actions/{action}/metrics", steps=2)
    Metrics.model_validate(answer)
    assert answer["metric"]["series"]["sent"] == [0, 3]
    variants = answer["language_variants"]
    assert {key: (v["default"], v["language"], v["series"]["sent"]) for key, v in variants.items()} == {
        "default": (True, "", [0, 1]),
        "fr": (False, "fr", [0, 2]),
    }
    assert "language_variants" not in await get(workspace, "/v1/broadcasts/chatty/metrics")


async def test_a_variant_whose_code_is_written_otherwise_now_keeps_its_figures(workspace: Any, here: Scene) -> None:
    await here.define(CHATTY)
    status = (await get(workspace, "/v1/definitions/broadcast/chatty"))["status"]
    made = {"campaign_id": status["id"], "action_id": status["actions"]["mail"], "metrics": reached("sent")}
    await here.delivery("before", None, trigger_no=1, recipient_no=1, language="FR", **made)
    await here.delivery("other", None, trigger_no=1, recipient_no=2, language="es", **made)
    answer = await get(workspace, f"/v1/broadcasts/chatty/actions/{made['action_id']}/metrics", steps=2)
    variants = answer["language_variants"]
    assert {key: one["series"]["sent"] for key, one in variants.items()} == {"default": [0, 1], "fr": [0, 1]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/campaigns/99/metrics", 404),
        ("/v1/campaigns/news/metrics", 404),
        ("/v1/campaigns/5x/metrics", 400),
        ("/v1/campaigns/welcome/actions/99/metrics", 404),
        ("/v1/campaigns/welcome/actions/nothing/metrics/links", 404),
        ("/v1/campaigns/welcome/actions/A/metrics", 400),
        ("/v1/broadcasts/99/metrics/links", 404),
        ("/v1/broadcasts/news/actions/99/metrics", 404),
        ("/v1/transactional/99/metrics", 404),
        ("/v1/transactional/A/metrics/links", 400),
        ("/v1/campaigns/welcome/metrics?period=years", 400),
        ("/v1/campaigns/welcome/metrics?steps=-1", 400),
        ("/v1/campaigns/welcome/metrics?steps=some", 400),
        ("/v1/campaigns/welcome/metrics?type=sms", 400),
        ("/v1/transactional/1/metrics/links?unique=perhaps", 400),
    ],
)
async def test_odd_questions(workspace: Any, here: Scene, path: str, status: int) -> None:
    answer = await workspace.call("GET", path)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["status"] == str(status)


async def test_figures_are_read_by_an_index(workspace: Any, here: Scene) -> None:
    """With 20,000 deliveries, the figures of a small campaign look at its own rows only."""
    welcome = here.campaigns["welcome"]
    async with workspace.db.transaction() as conn:
        await conn.execute(
            """INSERT INTO deliveries (workspace_id, delivery_id, channel, status, campaign_id, action_id, metrics, attempts,
                   ambiguous, draft, holdout, edited, forgotten, created_at)
               SELECT $1, 'x' || n, 'email', 'sent', CASE WHEN n % 100 = 0 THEN $2::int ELSE 77 END, 1, '{"sent": 1}', 1,
                      false, false, false, false, false, $3::timestamptz - n * interval '1 minute'
               FROM generate_series(1, 20000) n""",
            workspace.id,
            welcome,
            START,
        )
    async with workspace.db.connection() as conn:
        await conn.execute("ANALYZE deliveries")
        plan = await conn.fetch(
            """EXPLAIN SELECT count(*) FROM deliveries d WHERE d.workspace_id = $1 AND d.campaign_id = $2
                 AND d.created_at >= $3 AND d.created_at < $4""",
            workspace.id,
            welcome,
            START - timedelta(days=10),
            START,
        )
    assert "deliveries_by_campaign" in "\n".join(line[0] for line in plan)
    found = await series(workspace, f"/v1/campaigns/{welcome}/metrics", period="months", steps=2)
    assert sum(found["sent"]) == 200
