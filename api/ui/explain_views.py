"""The view that says why somebody began a campaign, or did not, and what became of their messages (CMP-34)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.paths import reference
from api.ui.pages import OnPage, PageRoute
from clock import system_now
from domain.errors import NotFound
from services.looking import blocks
from services.looking.explain import explained
from services.looking.people import IdType

router = APIRouter(prefix="/ui/{workspace_id}", route_class=PageRoute, include_in_schema=False)

QUESTIONS: Final = {
    "running": "Could people begin the campaign?",
    "trigger": "Did what begins it happen?",
    "age": "Did it happen in time?",
    "audience": "Does the person belong to the audience?",
    "fan_out": "Was it about few enough people?",
    "frequency": "May the person begin again?",
    "filters": "Did the filters hold?",
    "concurrency": "Was the person in no other journey of it?",
    "exit_at_entry": "Was there a reason to stay?",
}
Text = Annotated[str, Query(max_length=512)]


@router.get("/campaigns/{ref}/explain")
async def explain(
    here: OnPage, ref: str, *, customer: Text = "", id_type: IdType = "email", occurrence: Text = ""
) -> Response:
    """The form, and for the person who is named every check up to the first that failed."""
    db, catalogs, named = here.parts.db, here.parts.catalogs, reference(ref)
    figures = await blocks.of_campaign(db, catalogs, here.workspace_id, named)
    person = await here.desk.find_person(here.workspace_id, customer.strip(), id_type) if customer.strip() else None
    answer: dict[str, Any] | None = None
    missing = None
    if person is not None:
        try:
            answer = await explained(
                db,
                catalogs,
                here.workspace_id,
                named,
                (person["cio_id"], "cio_id"),
                occurrence=occurrence.strip() or None,
                real_now=system_now(),
            )
        except NotFound:
            missing = occurrence.strip()
    return here.render(
        "explain.html",
        tab="campaigns",
        campaign=figures["campaign"],
        labels={block["key"]: block["name"] for block in figures["blocks"]},
        questions=QUESTIONS,
        filters={"customer": customer.strip(), "id_type": id_type, "occurrence": occurrence.strip()},
        person=person,
        answer=answer,
        missing=missing,
    )


__all__ = ["router"]
