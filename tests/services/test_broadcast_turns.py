"""Whose turn it is counts from when a call was taken, however long its body was on its way (CHN-22)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clock import system_now
from services.broadcasts import triggering
from services.broadcasts.triggering import TooSoon
from tests.services.test_provider_turns import Place, place
from tests.support.broadcasting import broadcast, email
from tests.support.live import DOMAIN


async def test_chn_case_26_a_body_that_takes_its_time_begins_the_ten_seconds_when_it_is_there(database: Any) -> None:
    async with place(database) as here:
        plain = email(message={"subject": "News", "from": "team@example.com"})
        await here.room.define(DOMAIN, here.relay, broadcast(blocks={"mail": plain}))
        await here.room.rows("UPDATE definitions SET state = 'running' WHERE workspace_id = $1 AND kind = 'broadcast'")
        began = here.at = system_now()
        assert await triggered(here, seconds=9) == 1
        here.at = began + timedelta(seconds=10)
        with pytest.raises(TooSoon) as refusal:
            await triggered(here)
        assert refusal.value.retry_after == 9
        here.at = began + timedelta(seconds=19)
        assert await triggered(here) == 2


async def triggered(here: Place, seconds: int = 0) -> int:
    async def read() -> Any:
        here.at += timedelta(seconds=seconds)
        return {}

    return await triggering.trigger(here.room.db, here.room.workspace_id, "news", read, here.clock)
