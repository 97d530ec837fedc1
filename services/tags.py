"""The tags of a workspace: shared by everything that has documents, renamed and taken off everywhere at once (CMP-35)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.documents import Document, NonEmptyText
from domain.errors import InvalidInput, NotFound
from domain.problems import from_validation_error
from services.definitions import workspace_of
from store import definitions as store
from store import workspaces
from store.database import Database


class TagName(Document):
    """What a tag is to be called."""

    name: NonEmptyText


async def listed(db: Database, workspace_id: int) -> dict[str, Any]:
    """Every tag in use, by name, with how many documents have it."""
    async with db.connection() as conn:
        rows = await store.load_all(conn, workspace_id)
    used = Counter(tag for row in rows for tag in row.document.get("tags", ()))
    return {"tags": [{"name": name, "used": used[name]} for name in sorted(used)]}


async def rename(db: Database, workspace_id: int, tag: str, body: Any, real_now: datetime) -> dict[str, Any]:
    """Call a tag something else wherever it is; one that is there by the new name already becomes one with it.

    `body` is `{"name"}` as received. Answers with the tag; raises NotFound, InvalidInput.
    """
    try:
        name = TagName.model_validate(body).name
    except ValidationError as error:
        raise InvalidInput(from_validation_error(error, body)) from None
    await _change(
        db, workspace_id, tag, real_now, lambda tags: list(dict.fromkeys(name if t == tag else t for t in tags))
    )
    answer = await listed(db, workspace_id)
    return next(one for one in answer["tags"] if one["name"] == name)


async def remove(db: Database, workspace_id: int, tag: str, real_now: datetime) -> None:
    """Take a tag off everything; raises NotFound."""
    await _change(db, workspace_id, tag, real_now, lambda tags: [other for other in tags if other != tag])


async def _change(
    db: Database, workspace_id: int, tag: str, real_now: datetime, changed: Callable[[Sequence[str]], list[str]]
) -> None:
    """Change the tags of every document that has this one, archived ones included: tags are the workspace's."""
    async with db.transaction() as conn:
        await store.lock(conn, workspace_id)
        now = (await workspace_of(conn, workspace_id)).now(real_now)
        rows = [r for r in await store.load_all(conn, workspace_id) if tag in r.document.get("tags", ())]
        if not rows:
            raise NotFound("tag", tag)
        for row in rows:
            document = {**row.document, "tags": changed(row.document["tags"])}
            await store.update(conn, replace(row, document=document, revision=row.revision + 1, updated_at=now))
        await workspaces.bump_definitions(conn, workspace_id)


__all__ = ["listed", "remove", "rename"]
