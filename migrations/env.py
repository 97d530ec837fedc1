"""Runs migrations on the database of SOJOURN_DATABASE_URL, one transaction each, never waiting long for a lock."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import models  # noqa: F401  (fills the metadata)
from settings import load


def _url() -> str:
    """What the caller gives, else what the settings name."""
    url = context.config.attributes.get("database_url") or load().database_url
    if not url:
        raise SystemExit("Set SOJOURN_DATABASE_URL to the postgresql:// URL to migrate.")
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, transaction_per_migration=True)
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET statement_timeout = '60s'"))
    connection.commit()
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    engine = create_async_engine(_url())
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_main())
