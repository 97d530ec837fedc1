from __future__ import annotations

from datetime import timedelta

import pytest

from store.reads import messages as reads
from store.reads.messages import MessageFilter
from tests.support.database import Room
from tests.support.looking import START, Scene, content

ALL = MessageFilter()


@pytest.fixture
async def here(room: Room) -> Scene:
    return Scene(room.db, room.workspace_id)


async def page(here: Scene, which: MessageFilter = ALL, **options):
    async with here.db.connection() as conn:
        return await reads.page(conn, here.workspace_id, which, **{"before": None, "limit": 100, **options})


async def ids(here: Scene, **filters) -> list[str]:
    return [row.delivery_id for row in await page(here, MessageFilter(**filters))]


async def test_pages_walk_over_messages_of_one_instant(here):
    for n in range(5):
        await here.delivery(f"same-{n}-{here.workspace_id}", None)
    await here.delivery(f"older-{here.workspace_id}", None, at=START - timedelta(seconds=1))
    whole = [row.delivery_id for row in await page(here)]
    walked, before = [], None
    while rows := await page(here, before=before, limit=2):
        walked += [row.delivery_id for row in rows]
        before = (rows[-1].created_at, rows[-1].delivery_id)
    assert walked == whole
    assert whole[-1] == f"older-{here.workspace_id}"


async def test_each_filter_narrows(here):
    ann = await here.person("1")
    opened = {"sent": 1, "opened": 2}
    await here.delivery(
        "a", ann, status="opened", metrics=opened, journey_id="J", campaign_id=3, action_id=4, block="b"
    )
    await here.delivery("d", None, status="drafted", draft=True, metrics={"drafted": 1})
    await here.delivery("s", None, at=START + timedelta(days=1), status="suppressed", metrics={"suppressed": 1})
    assert await ids(here, person_id=ann) == ["a"]
    assert await ids(here, journey_id="J") == ["a"]
    assert await ids(here, campaign_id=3, action_id=4, block="b") == ["a"]
    assert await ids(here, campaign_id=4) == []
    assert await ids(here, channel="sms") == []
    assert await ids(here, metric="opened") == ["a"]
    assert await ids(here, draft=True) == ["d"]
    assert await ids(here, draft=False) == ["s", "a"]
    assert await ids(here, states=["suppressed"]) == ["s"]
    assert await ids(here, since=START + timedelta(days=1)) == ["s"]
    assert await ids(here, until=START) == []


async def test_a_message_knows_whether_its_content_is_kept(here):
    await here.delivery("kept", None, rendered=content("Kept"))
    await here.delivery("gone", None, keep=False)
    async with here.db.connection() as conn:
        kept = await reads.get(conn, here.workspace_id, "kept")
        gone = await reads.get(conn, here.workspace_id, "gone")
        assert (kept.kept, gone.kept) == (True, False)
        assert (await reads.content(conn, here.workspace_id, kept)).rendered["fields"]["subject"] == "Kept"
        assert await reads.content(conn, here.workspace_id, gone) is None
