"""Indexes on tables that are in use: built beside their users, and begun anew where a build was cut off."""

from __future__ import annotations

from typing import Final

from alembic import op
from sqlalchemy import text

from migrations.running import LOCK_TIMEOUT, STATEMENT_TIMEOUT

LONGEST_WAIT: Final = "10min"
"""How long a build waits for transactions that began before it; nobody waits behind it."""

_INVALID: Final = text(
    "SELECT 1 FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE c.oid = to_regclass(:name) AND NOT i.indisvalid"
)


def create_index(name: str, definition: str) -> None:
    """Build the index `name` with `CREATE INDEX CONCURRENTLY`; `definition` begins with the table: `people (workspace_id, id)`.

    It has to be all that its migration does, because it cannot be part of a transaction: what came before it in the same
    file would be kept when the build is cut off, and be in the way of the next attempt. A build that was cut off leaves an
    invalid index behind, which is dropped first.
    """
    _build(name, f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {definition}")


def create_unique_index(name: str, definition: str) -> None:
    """The same for a unique index."""
    _build(name, f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {definition}")


def _build(name: str, statement: str) -> None:
    with op.get_context().autocommit_block():
        op.execute(f"SET lock_timeout = '{LONGEST_WAIT}'")
        op.execute("SET statement_timeout = 0")
        if op.get_bind().execute(_INVALID, {"name": name}).first() is not None:
            op.execute(f"DROP INDEX CONCURRENTLY {name}")
        op.execute(statement)
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        op.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")


__all__ = ["create_index", "create_unique_index"]
