"""Messages as a table: of a campaign or broadcast, of a transactional message, of a block (PPL-49, APP-13)."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import DomainError
from services import definitions
from tests.ingest.test_broadcast_conversions import RECEIPT, broadcast, running, sent
from tests.support.database import Room
from tests.support.files import Files, table


async def rows(room: Room, **body: Any) -> list[dict[str, str]]:
    return table(await Files(room).export("deliveries", **body))


async def test_each_source_has_its_own_messages(room: Room) -> None:
    number, actions = await running(room, broadcast(), RECEIPT)
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'transactional'")
    receipt = row["definition_id"]
    news = await sent(room, number, actions["mail"], language="fr")
    call = await sent(room, number, actions["call"], 2)
    bought = await sent(room, None, None, None, transactional_id=receipt, content_id=5)
    plain = await sent(room, None, None, None, transactional_id=1)
    await sent(room, None, None, None, transactional_id=receipt, draft=True, status="drafted")
    of_news = await rows(room, campaign_id=number)
    assert {one["id"] for one in of_news} == {news, call}
    first = next(one for one in of_news if one["id"] == news)
    assert (first["broadcast_id"], first["campaign_id"], first["language"]) == (str(number), "", "fr")
    assert [one["id"] for one in await rows(room, action_id=actions["call"])] == [call]
    assert [one["id"] for one in await rows(room, campaign_id=number, template_id=actions["mail"])] == [news]
    (one,) = await rows(room, transactional_message_id=receipt)
    assert (one["id"], one["transactional_message_id"], one["content_id"]) == (bought, str(receipt), "5")
    assert [one["id"] for one in await rows(room, transactional_message_id=1)] == [plain]
    assert len(await rows(room, transactional_message_id=receipt, drafts=True)) == 1


async def test_a_source_that_is_not_there(room: Room) -> None:
    with pytest.raises(DomainError) as refused:
        await rows(room, transactional_message_id=9)
    assert (refused.value.code, refused.value.pointer) == ("invalid_parameter", "/transactional_message_id")


async def test_drafts_of_a_transactional_message_are_counted_beside_it(room: Room) -> None:
    await running(room, broadcast(), RECEIPT)
    (row,) = await room.rows("SELECT definition_id FROM definitions WHERE workspace_id = $1 AND kind = 'transactional'")
    await sent(room, None, None, None, transactional_id=row["definition_id"], draft=True, status="drafted")
    answer = await definitions.get(room.db, room.workspace_id, "transactional", "receipt")
    assert answer["status"]["drafts"] == 1
