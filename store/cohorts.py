"""Which path a random cohort by object gave to which object, for everybody who is related to it (ACT-15)."""

from __future__ import annotations

from collections.abc import Sequence

from store.database import Connection


async def objects_of(conn: Connection, workspace_id: int, person_id: int, object_type_id: int) -> list[int]:
    """The objects of a type that somebody is related to, two of them at most."""
    records = await conn.fetch(
        """SELECT o.object_no FROM relationships r
           JOIN objects o ON o.workspace_id = r.workspace_id AND o.object_no = r.object_no
           WHERE r.workspace_id = $1 AND r.person_id = $2 AND o.object_type_id = $3 ORDER BY o.object_no LIMIT 2""",
        workspace_id,
        person_id,
        object_type_id,
    )
    return [record["object_no"] for record in records]


async def assigned(
    conn: Connection, workspace_id: int, action_id: int, object_no: int, *, drawn: str, paths: Sequence[str]
) -> str:
    """The path of the object: the one it has where that is among the paths, else what was drawn, which it has from now on.

    Of those who arrive at once the first decides; the others wait for it.
    """
    # Nobody who finds it waits for anybody.
    known: str | None = await conn.fetchval(
        "SELECT path FROM cohort_assignments WHERE workspace_id = $1 AND action_id = $2 AND object_no = $3",
        workspace_id,
        action_id,
        object_no,
    )
    if known is not None and known in paths:
        return known
    path: str = await conn.fetchval(
        """INSERT INTO cohort_assignments AS c (workspace_id, action_id, object_no, path) VALUES ($1, $2, $3, $4)
           ON CONFLICT (workspace_id, action_id, object_no) DO UPDATE
             SET path = CASE WHEN c.path = ANY ($5::text[]) THEN c.path ELSE EXCLUDED.path END
           RETURNING path""",
        workspace_id,
        action_id,
        object_no,
        drawn,
        list(paths),
    )
    return path


__all__ = ["assigned", "objects_of"]
