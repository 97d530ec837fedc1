from __future__ import annotations

from datetime import timedelta

import pytest

from store.reads import mailbox as reads
from store.reads.mailbox import MailboxFilter
from tests.support.database import Room
from tests.support.looking import START, Scene


@pytest.fixture
async def here(room: Room) -> Scene:
    return Scene(room.db, room.workspace_id)


async def keys(here: Scene, **options) -> list[str]:
    which = MailboxFilter(**{name: options.pop(name) for name in list(options) if name in MailboxFilter.__slots__})
    async with here.db.connection() as conn:
        rows = await reads.page(conn, here.workspace_id, which, **{"after": 0, "limit": 100, **options})
    return [row.delivery_id for row in rows]


async def test_oldest_first_or_newest_first(here):
    for name in "abc":
        await here.captured(name, "ann@example.com")
    assert await keys(here) == ["a", "b", "c"]
    assert await keys(here, newest_first=True) == ["c", "b", "a"]
    async with here.db.connection() as conn:
        (first,) = await reads.page(conn, here.workspace_id, MailboxFilter(), after=0, limit=1)
        last = (await reads.page(conn, here.workspace_id, MailboxFilter(), after=0, limit=1, newest_first=True))[0]
    assert await keys(here, after=first.captured_id) == ["b", "c"]
    assert await keys(here, after=last.captured_id, newest_first=True) == ["b", "a"]


@pytest.mark.parametrize(
    ("stored", "asked", "found"),
    [
        ("Ann@Example.com", "ann@example.COM ", True),
        ("STRASSE@example.com", "straße@example.com", True),
        ("ann@example.com", "ann@example.co", False),
        ("an_@example.com", "ann@example.com", False),
    ],
)
async def test_addresses_are_compared_whole_and_without_case(here, stored, asked, found):
    await here.captured("x", stored)
    assert await keys(here, to=asked) == (["x"] if found else [])


async def test_an_address_is_found_behind_many_others(here, monkeypatch):
    monkeypatch.setattr(reads, "SCAN_PAGE", 3)
    for n in range(11):
        await here.captured(f"m{n}", "ann@example.com" if n % 5 == 0 else "bela@example.com")
    assert await keys(here, to="ann@example.com") == ["m0", "m5", "m10"]
    assert await keys(here, to="ann@example.com", limit=2) == ["m0", "m5"]
    assert await keys(here, to="ann@example.com", limit=2, newest_first=True) == ["m10", "m5"]


async def test_refused_attempts_show_only_where_asked_for(here):
    await here.fault(outcome="hard_bounce", times=1)
    await here.captured("refused", "ann@example.com")
    await here.captured("taken", "ann@example.com")
    assert await keys(here) == ["taken"]
    assert await keys(here, refused=True) == ["refused", "taken"]


async def test_times_people_and_channels_narrow(here):
    ann = await here.person("1")
    await here.captured("early", "ann@example.com", person_id=ann)
    await here.captured("late", "bela@example.com", at=START + timedelta(hours=1))
    assert await keys(here, person_id=ann) == ["early"]
    assert await keys(here, since=START + timedelta(hours=1)) == ["late"]
    assert await keys(here, until=START + timedelta(hours=1)) == ["early"]
    assert await keys(here, channel="sms") == []


async def test_rules_that_are_used_up_are_no_rules(here):
    await here.fault(outcome="timeout", times=2)
    await here.captured("a", "ann@example.com")
    async with here.db.connection() as conn:
        ((rule, left),) = await reads.faults(conn, here.workspace_id)
    assert (rule["outcome"], left) == ("timeout", 1)
    await here.captured("b", "ann@example.com")
    async with here.db.connection() as conn:
        assert await reads.faults(conn, here.workspace_id) == []
