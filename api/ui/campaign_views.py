"""Views of campaigns: all of them with their figures, and one block by block with who stands where (CMP-30, CMP-35)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.paths import reference
from api.ui.narrowing import narrowed
from api.ui.pages import OnPage, PageRoute
from services import definition_revisions
from services.looking import blocks, campaigns, journey_metrics

router = APIRouter(prefix="/ui/{workspace_id}", route_class=PageRoute, include_in_schema=False)

STATES: Final = ("running", "starting", "stopping", "draft", "stopped", "archived")
REVISIONS: Final = 5
"""How many of its latest changes the page of a campaign shows."""
Text = Annotated[str, Query(max_length=512)]


@router.get("/campaigns")
async def listed(here: OnPage, *, name: Text = "", state: Text = "") -> Response:
    """Those under way first; `name` and `state` narrow."""
    found = await campaigns.listed(here.parts.db, here.parts.catalogs, here.workspace_id)
    page = narrowed(found, name, state, STATES)
    return here.render("campaigns.html", tab="campaigns", campaigns=page.pop("shown"), **page)


@router.get("/campaigns/{ref}")
async def one(here: OnPage, ref: str) -> Response:
    """One campaign: its blocks as they follow each other, how many stand at each, what became of the others and lately.

    Beside that stand its latest changes.
    """
    db, catalogs, named = here.parts.db, here.parts.catalogs, reference(ref)
    figures = await blocks.of_campaign(db, catalogs, here.workspace_id, named)
    (about,) = [
        one for one in await campaigns.listed(db, catalogs, here.workspace_id) if one["id"] == figures["campaign"]["id"]
    ]
    recent = await journey_metrics.recently(db, here.workspace_id, about["id"], here.now)
    changes = await definition_revisions.listed(db, here.workspace_id, "campaign", about["id"], limit=REVISIONS)
    return here.render(
        "campaign.html",
        tab="campaigns",
        campaign=about,
        changes=changes["revisions"],
        older=bool(changes["next"]),
        journeys=figures["journeys"],
        recent=recent,
        tree=tree(figures["blocks"]),
        removed=figures["removed"],
        most=max((block["standing"] for block in figures["blocks"]), default=0),
    )


def tree(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks at the top, and in each path of a branch the blocks that stand there, as they follow each other."""
    inside: dict[tuple[str | None, str | None], list[dict[str, Any]]] = {}
    for block in listed:
        inside.setdefault((block["branch"], block["path"]), []).append(block)
    for block in listed:
        for path in block["paths"]:
            path["blocks"] = inside.get((block["key"], path["key"]), [])
    return inside.get((None, None), [])


__all__ = ["router", "tree"]
