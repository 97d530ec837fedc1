"""Two views of what came in: the Data In log, and the data index with one name of it."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from fastapi import APIRouter, Query, Response

from api.ui.pages import OnPage, PageRoute
from clock import system_now
from services import data_index
from services.looking import data_in
from services.looking.data_in import DataInQuery, Status
from services.looking.people import IdType

router = APIRouter(prefix="/ui/{workspace_id}", route_class=PageRoute, include_in_schema=False)

PAGE: Final = 50
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
KINDS: Final = ("attribute", "event", "page", "screen")

Kind = Literal["attribute", "event", "page", "screen"]
Cursor = Annotated[str | None, Query(max_length=10_000)]
Text = Annotated[str, Query(max_length=512)]


@router.get("/data-in")
async def calls(
    here: OnPage,
    *,
    status: Literal["", Status] = "",
    source: Text = "",
    customer: Text = "",
    id_type: IdType = "email",
    start: Cursor = None,
) -> Response:
    """What came in and what became of it, newest first."""
    query = DataInQuery(status or None, source.strip() or None, None, customer.strip() or None, id_type)
    found = await data_in.page(here.parts.db, here.workspace_id, query, start=start, limit=PAGE)
    return here.render(
        "data_in.html",
        tab="data-in",
        statuses=STATUSES,
        filters={"status": status, "source": source, "customer": customer, "id_type": id_type},
        filtered=bool(status or source or customer),
        later=start is not None,
        calls=found["data_in"],
        next=found["next"],
    )


@router.get("/data-index")
async def names(here: OnPage, *, kind: Kind = "attribute", name: Text = "", start: Cursor = None) -> Response:
    """The names of a kind, in their order."""
    found = await data_index.page(
        here.parts.db, here.workspace_id, [kind], name=name.strip() or None, start=start, limit=PAGE
    )
    return here.render(
        "data_index.html", tab="data-index", kinds=KINDS, kind=kind, name=name, later=start is not None, **found
    )


@router.get("/data-index/name")
async def one_name(here: OnPage, *, kind: Kind, name: Text) -> Response:
    """One name: what it is, who uses it, its latest changes."""
    found = await data_index.one(here.parts.db, here.workspace_id, kind, name, system_now())
    return here.render("data_name.html", tab="data-index", entry=found["name"])


__all__ = ["router"]
