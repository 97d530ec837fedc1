"""Whether a text stands anywhere in the database: every column of every table, bytes included."""

from __future__ import annotations

from typing import Any


async def tables_with(conn: Any, text: str) -> list[str]:
    """The tables, and the columns of bytes, in which the text stands."""
    names = await conn.fetch(
        """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
    )
    found = []
    for name in sorted(record["relname"] for record in names):
        query = f"SELECT EXISTS (SELECT 1 FROM {name} t WHERE position($1 IN to_json(t)::text) > 0)"
        if await conn.fetchval(query, text):
            found.append(name)
        columns = await conn.fetch(
            """SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0
               AND NOT attisdropped AND atttypid = 'bytea'::regtype""",
            name,
        )
        for column in columns:
            query = f"SELECT EXISTS (SELECT 1 FROM {name} WHERE position($1::bytea IN {column['attname']}) > 0)"
            if await conn.fetchval(query, text.encode()):
                found.append(f"{name}.{column['attname']}")
    return found
