"""Views of segments: all of them, and one with who came, who left, and what refers to it (PPL-29, PPL-41)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from api.paths import reference
from api.ui.pages import OnPage, PageRoute
from clock import system_now
from services import definitions, segments
from services.documents_io import dump_yaml
from services.looking import segments as history_of
from services.looking.segments import ChangeQuery

router = APIRouter(prefix="/ui/{workspace_id}", route_class=PageRoute, include_in_schema=False)

LATEST: Final = 20


@router.get("/segments")
async def listed(here: OnPage) -> Response:
    """All of them, by name, archived ones last."""
    found = (await segments.list_all(here.parts.db, here.workspace_id))["segments"]
    found.sort(key=lambda segment: (segment["archived"], segment["name"].casefold(), segment["id"]))
    return here.render("segments.html", tab="segments", segments=found)


@router.get("/segments/{ref}")
async def one(here: OnPage, ref: str) -> Response:
    """One segment: who is in it by which conditions, its last days, the latest changes, what refers to it."""
    db, named = here.parts.db, reference(ref)
    segment = (await segments.one(db, here.workspace_id, named))["segment"]
    document = (await definitions.get(db, here.workspace_id, "segment", segment["id"], "compact"))["definition"]
    history = await history_of.history(
        db, here.workspace_id, segment["id"], days=history_of.DAYS, timezone="UTC", real_now=system_now()
    )
    changes = await history_of.changes(db, here.workspace_id, segment["id"], ChangeQuery(), start=None, limit=LATEST)
    users = await segments.used_by(db, here.workspace_id, segment["id"])
    days = history["days"]
    return here.render(
        "segment.html",
        tab="segments",
        segment=segment,
        conditions=dump_yaml([document["conditions"]]) if "conditions" in document else None,
        history=history,
        days=[day for day in reversed(days) if day["entered"] or day["left"]],
        most=max((max(day["entered"], day["left"]) for day in days), default=0),
        changes=changes["changes"],
        more=bool(changes["next"]),
        referents=users["used_by"]["referents"],
    )


__all__ = ["router"]
