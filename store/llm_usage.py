"""How many tokens language models have used up, by workspace and day (ACT-34)."""

from __future__ import annotations

from datetime import date

from store.database import Connection


async def used(conn: Connection, workspace_id: int, day: date) -> int:
    """The tokens of a day."""
    tokens: int | None = await conn.fetchval(
        "SELECT tokens FROM llm_usage WHERE workspace_id = $1 AND day = $2", workspace_id, day
    )
    return tokens or 0


async def add(conn: Connection, workspace_id: int, day: date, tokens: int) -> None:
    """Count tokens; a transaction of its own, because everybody of the workspace counts on the same row."""
    await conn.execute(
        """INSERT INTO llm_usage (workspace_id, day, tokens) VALUES ($1, $2, $3)
           ON CONFLICT (workspace_id, day) DO UPDATE SET tokens = llm_usage.tokens + excluded.tokens""",
        workspace_id,
        day,
        tokens,
    )


__all__ = ["add", "used"]
