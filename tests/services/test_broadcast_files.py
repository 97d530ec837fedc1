"""Files of recipients that are not read in one go (CHN-19), and triggers that Temporal has lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clock import system_now
from domain.operations import DeletePerson, Identifier
from domain.sends import BroadcastRef
from services.broadcasts import audience, data_file
from services.repair import repair_broadcasts
from store.notify import Notifier
from tests.support.broadcasting import Broadcasting, broadcast
from tests.support.database import Room

URL = "https://files.example.com/people.jsonl"
NAMES = [f"p{number}" for number in range(1, 7)]


@pytest.fixture
async def cast(room: Room, monkeypatch: pytest.MonkeyPatch) -> Broadcasting:
    monkeypatch.setattr(data_file, "PAGE", 2)
    cast = Broadcasting(room)
    await cast.define(broadcast())
    await cast.people(*NAMES)
    return cast


async def file(cast: Broadcasting, *names: str) -> None:
    body = "".join(f'{{"id": "{name}"}}\n' for name in names)
    await cast.faults({"channel": "webhook", "outcome": "answer", "body": body})


def after(pages: int) -> Callable[[], bool]:
    """Says that the process is to end once it was asked so often."""
    left = iter([False] * pages)
    return lambda: next(left, True)


async def interrupted(cast: Broadcasting, ref: BroadcastRef, pages: int) -> None:
    """A turn whose process is to end after so many pages of the file."""
    await cast.runner.run(ref, lambda: True)
    await cast.runner.run(ref, after(pages))


async def test_a_file_is_read_on_behind_what_was_read_before(cast: Broadcasting, room: Room) -> None:
    await file(cast, *NAMES)
    ref = await cast.trigger(audience={"data_file_url": URL})
    await interrupted(cast, ref, 2)
    before = await room.rows("SELECT position, person_id, ctid::text FROM broadcast_recipients WHERE workspace_id = $1")
    assert len(before) == 4
    await cast.run(ref)
    after = await room.rows("SELECT position, person_id, ctid::text FROM broadcast_recipients WHERE workspace_id = $1")
    assert (after[:4], len(after)) == (before, 6)
    assert await cast.said(ref) == [(name, "News") for name in NAMES]


async def test_a_file_that_has_become_another_is_begun_anew(cast: Broadcasting) -> None:
    await file(cast, *NAMES)
    ref = await cast.trigger(audience={"data_file_url": URL})
    await interrupted(cast, ref, 2)
    await file(cast, *reversed(NAMES[:3]))
    await cast.run(ref)
    assert await cast.audience(ref) == ["p3", "p2", "p1"]


async def test_a_file_that_is_another_each_time_is_given_up(cast: Broadcasting) -> None:
    ref = await cast.trigger(audience={"data_file_url": URL})
    await file(cast, *NAMES)
    await interrupted(cast, ref, 1)
    for number in range(audience.MOST_BEGUN + 1):
        await file(cast, *NAMES[number % 2 + 1 :])
        await cast.runner.run(ref, after(1))
    turn = await cast.run(ref)
    assert turn.state == "failed"
    assert await cast.errors(ref) == [audience.EVER_ANOTHER]


async def test_triggers_that_nobody_is_at_are_asked_for_again(cast: Broadcasting, room: Room) -> None:
    first, second = await cast.trigger(), await cast.trigger()
    await cast.woken()
    notifier = Notifier(room.db.pool)
    asked = await repair_broadcasts(room.db, notifier, system_now(), workspace_id=room.workspace_id)
    assert (asked, await cast.woken()) == (1, [first.trigger_no])
    await cast.run(first)
    await cast.run(second)
    await cast.woken()
    paced = await cast.trigger(rate={"limit": 1, "per": "hour"})
    await cast.run(paced)
    await cast.woken()
    assert await repair_broadcasts(room.db, notifier, system_now(), workspace_id=room.workspace_id) == 0
    await notifier.close()


async def test_an_error_report_forgets_who_is_erased(cast: Broadcasting, room: Room) -> None:
    settings: Any = {"kind": "settings", "key": "workspace", "identifiers": "id_only"}
    await room.define(settings)
    await cast.people("one", "two", email="Both@example.com")
    entries = [{"email": "both@example.com", "data": {}}, {"email": "gone@example.com", "data": {}}]
    ref = await cast.send(audience={"per_user_data": entries})
    assert "both@example.com" in str(await cast.errors(ref))
    await room.apply(DeletePerson(subject=Identifier(kind="id", value="one")))
    assert await cast.errors(ref) == [
        "somebody who was named here has been erased",
        "line 2: the following emails are missing: gone@example.com",
    ]
