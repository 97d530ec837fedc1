"""Views of broadcasts: all of them, one with its triggers and a form to trigger it, one trigger on its way (CHN-15, CHN-20)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import pages
from api.bodies import MANAGEMENT_LIMIT, read_body
from api.paths import reference
from api.ui.narrowing import narrowed
from api.ui.pages import OnPage, Page, PageRoute
from api.ui.words import segment
from clock import system_now
from domain.errors import DomainError, InvalidInput
from ingest.parse import parse_json
from services.broadcasts import control, desk, life, reading, triggering

router = APIRouter(prefix="/ui/{workspace_id}", route_class=PageRoute, include_in_schema=False)

STATES: Final = ("running", "draft", "stopped", "archived")
Text = Annotated[str, Query(max_length=512)]
Cursor = Annotated[str | None, Query(max_length=64)]


@router.get("/broadcasts")
async def listed(here: OnPage, *, name: Text = "", state: Text = "") -> Response:
    """Those that run first; `name` and `state` narrow."""
    found = await desk.listed(here.parts.db, here.workspace_id)
    page = narrowed(found, name, state, STATES)
    return here.render("broadcasts.html", tab="broadcasts", broadcasts=page.pop("shown"), **page)


@router.get("/broadcasts/{ref}")
async def one(here: OnPage, ref: str, *, start: Cursor = None) -> Response:
    """One broadcast: how it stands, its triggers, the form to trigger it."""
    return await _broadcast_page(here, ref, start=start)


@router.post("/broadcasts/{ref}/triggers")
async def trigger(request: Request, here: OnPage, ref: str) -> Response:
    """Trigger it now for its own recipients, with the data of the form if there is any."""
    fields = await _fields(request)
    said = fields.get("data", "").strip()

    async def read() -> Any:
        return {"data": parse_json(said.encode())} if said else {}

    try:
        number = await triggering.trigger(here.parts.db, here.workspace_id, reference(ref), read, system_now)
    except triggering.TriggerRefused as refusal:
        fault = " ".join(dict.fromkeys(fault.message or fault.detail for fault in refusal.faults))
        return await _broadcast_page(here, ref, fault=fault, data=said)
    except DomainError as error:
        if error.code not in ("rate_limited", "invalid_json"):
            raise
        return await _broadcast_page(here, ref, fault=error.message, data=said)
    here.parts.notifier.send("outbox")
    return _to(here, ref, number)


@router.post("/broadcasts/{ref}/{verb}")
async def change(here: OnPage, ref: str, verb: Literal["start", "stop"]) -> Response:
    """Let it take triggers, or no more."""
    db, named = here.parts.db, reference(ref)
    try:
        if verb == "start":
            await life.start(db, here.workspace_id, named, here.now)
        else:
            await life.stop(db, here.workspace_id, named)
    except DomainError as error:
        if error.code == "not_found":
            raise
        problems = error.problems if isinstance(error, InvalidInput) else []
        said = [f"{problem.pointer}: {problem.message}" for problem in problems if problem.pointer]
        return await _broadcast_page(here, ref, fault=" ".join(said) or error.message)
    return _to(here, ref)


@router.get("/broadcasts/{ref}/triggers/{number}")
async def status(here: OnPage, ref: str, number: str, *, start: Cursor = None) -> Response:
    """One trigger: how far it is, what became of its messages, what went wrong."""
    return await _trigger_page(here, ref, number, start=start)


@router.post("/broadcasts/{ref}/triggers/{number}/{verb}")
async def steer(here: OnPage, ref: str, number: str, verb: Literal["pause", "resume", "cancel"]) -> Response:
    """Pause it, let it go on, end it."""
    db = here.parts.db
    key = await reading.key_of(db, here.workspace_id, reference(ref), number, here.now)
    try:
        if verb == "pause":
            await control.pause(db, key)
        elif verb == "resume":
            await control.resume(db, key)
        else:
            await control.cancel(db, key, here.now)
    except DomainError as error:
        if error.code != "invalid_state":
            raise
        return await _trigger_page(here, ref, number, fault=error.message)
    here.parts.notifier.send("outbox")
    return _to(here, ref, key[2])


async def _broadcast_page(
    here: Page, ref: str, *, start: str | None = None, fault: str | None = None, data: str = ""
) -> Response:
    found = await desk.one(here.parts.db, here.workspace_id, reference(ref), start=start)
    page = here.render(
        "broadcast.html",
        tab="broadcasts",
        fault=fault,
        data=data,
        later=start is not None,
        most=triggering.MOST_OPEN,
        **found,
    )
    page.status_code = 200 if fault is None else 409
    return page


async def _trigger_page(
    here: Page, ref: str, number: str, *, start: str | None = None, fault: str | None = None
) -> Response:
    found = await desk.trigger(here.parts.db, here.workspace_id, reference(ref), number, start=start, real_now=here.now)
    page = here.render("trigger.html", tab="broadcasts", fault=fault, later=start is not None, **found)
    page.status_code = 200 if fault is None else 409
    return page


async def _fields(request: Request) -> Mapping[str, str]:
    """What a form says."""
    body = await read_body(request, MANAGEMENT_LIMIT)
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _to(here: Page, ref: str, number: int | None = None) -> Response:
    """The page of a broadcast, or of one of its triggers, so that reloading asks for nothing again."""
    place = f"/ui/{here.workspace_id}/broadcasts/{segment(ref)}"
    return RedirectResponse(place if number is None else f"{place}/triggers/{number}", 303, pages.BASE_HEADERS)


__all__ = ["router"]
