"""The sink's way into the database: every message a row, also of many at once and after the database was away."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from stack.mailbox import Mailbox
from stack.services import postgres_alone

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

pytestmark = pytest.mark.stack


async def record(pool: asyncpg.Pool[Any], raw: bytes, mail_from: str, rcpt_tos: list[str], now: datetime) -> None:
    assert now.tzinfo is UTC
    await pool.execute("INSERT INTO received VALUES ($1, $2, $3)", raw, mail_from, rcpt_tos)


async def test_messages_become_rows(data_dir: Path) -> None:
    async with postgres_alone(data_dir) as services:
        connection = await asyncpg.connect(services.database_url)
        await connection.execute("CREATE TABLE received (raw bytea, mail_from text, rcpt_tos text[])")
        await connection.close()
        mailbox = Mailbox(services.database_url, record)
        await asyncio.gather(*[mailbox.record(b"%d" % n, "a@example.com", ["ann@example.com"]) for n in range(20)])

        assert services.postgres is not None
        await services.postgres.stop()
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await mailbox.record(b"lost", "a@example.com", [])
        await services.postgres.start()
        await mailbox.record(b"after", "a@example.com", [])
        await mailbox.close()

        connection = await asyncpg.connect(services.database_url)
        rows = await connection.fetch("SELECT raw FROM received")
        await connection.close()
        assert sorted(row["raw"] for row in rows) == sorted([*(b"%d" % n for n in range(20)), b"after"])
