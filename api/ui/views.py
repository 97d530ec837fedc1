"""The views of people on their way: journeys, one with its step log, people and one's timeline, the mailbox."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from api import pages
from api.paths import reference
from api.ui import broadcast_views, campaign_views, data_views, explain_views, segment_views, sessions
from api.ui.pages import HERE, OnPage, Page, PageRoute, SignedIn, desk
from api.ui.words import segment
from domain.errors import DomainError, NotFound
from services.looking import people_search
from services.looking.desk import Desk
from services.looking.journeys import JourneyQuery, State
from services.looking.mailbox import Channel, MailboxQuery
from services.looking.people import IdType
from services.looking.timeline import EntryType, TimelineQuery

router = APIRouter(route_class=PageRoute, include_in_schema=False)
inside = APIRouter(prefix="/ui/{workspace_id}", route_class=PageRoute, include_in_schema=False)

PAGE: Final = 50
FILES: Final = {"ui.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
FRAME_POLICY: Final = pages.policy(
    sandbox="",
    style_src="'unsafe-inline'",
    img_src="data:",
    font_src="data:",
    form_action="'none'",
    frame_ancestors="'self'",
)
STATES: Final[tuple[State, ...]] = ("in_progress", "finished", "exited_early")
CHANNELS: Final[tuple[Channel, ...]] = (
    "email",
    "sms",
    "push",
    "in_app",
    "inbox",
    "whatsapp",
    "line",
    "slack",
    "webhook",
)
TYPES: Final[tuple[EntryType, ...]] = ("activity", "segment", "journey", "step", "delivery")
DAY: Final = 86_400

Cursor = Annotated[str | None, Query(max_length=1024)]
Text = Annotated[str, Query(max_length=512)]


@router.get("/ui")
async def home(_session: SignedIn, reads: Annotated[Desk, Depends(desk)]) -> Response:
    """The journeys of the first workspace."""
    found = await reads.workspaces()
    if not found:
        message = "There is no workspace yet. Make one with POST /v1/workspaces, then come back."
        raise DomainError("not_found", message)
    return RedirectResponse(f"/ui/{found[0].workspace_id}/journeys", 303, pages.BASE_HEADERS)


@router.get("/ui/static/{name}")
async def static(name: str) -> Response:
    """The style sheet and the icon."""
    if name not in FILES:
        raise NotFound("file", name)
    headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
    return Response((HERE / "static" / name).read_bytes(), 200, headers, FILES[name])


@inside.get("")
async def workspace(workspace_id: int) -> Response:
    """Its journeys."""
    return RedirectResponse(f"/ui/{workspace_id}/journeys", 303, pages.BASE_HEADERS)


@inside.get("/journeys")
async def journeys(
    here: OnPage,
    *,
    campaign: Text = "",
    state: Literal["", "in_progress", "finished", "exited_early"] = "",
    block: Text = "",
    customer: Text = "",
    id_type: IdType = "email",
    start: Cursor = None,
) -> Response:
    """Who is where, newest first."""
    query = JourneyQuery(
        campaign=reference(campaign) if campaign else None,
        customer=customer.strip() or None,
        id_type=id_type,
        state=state or None,
        block=block.strip() or None,
    )
    campaigns = await here.desk.campaigns(here.workspace_id)
    found = await here.desk.journeys(here.workspace_id, query, start=start, limit=PAGE, now=here.now)
    chosen = [c for c in campaigns if str(campaign) in (c["key"], str(c["id"]))]
    return here.render(
        "journeys.html",
        tab="journeys",
        campaigns=campaigns,
        blocks=[b for c in chosen or campaigns for b in c["blocks"]],
        states=STATES,
        filters={"campaign": campaign, "state": state, "block": block, "customer": customer, "id_type": id_type},
        filtered=bool(campaign or state or block or customer),
        later=start is not None,
        **found,
    )


@inside.get("/journeys/{journey_id}")
async def journey(here: OnPage, journey_id: str) -> Response:
    """One journey: where it stands, why, and what happened at each block."""
    found = await here.desk.journey(here.workspace_id, journey_id, here.now)
    return here.render("journey.html", tab="journeys", temporal_url=_workflow_page(here, found["workflow_id"]), **found)


@inside.get("/people")
async def find_person(
    here: OnPage, *, name: Text = "", id_type: IdType = "email", email: Text = "", start: Cursor = None
) -> Response:
    """The forms, the person that a name finds, or those whose address begins or ends so (PPL-44)."""
    person = None
    if name.strip():
        person = await here.desk.find_person(here.workspace_id, name.strip(), id_type)
    if person is not None:
        place = f"/ui/{here.workspace_id}/people/{person['cio_id']}"
        return RedirectResponse(place, 303, pages.BASE_HEADERS)
    listed: dict[str, Any] = {"people": [], "next": ""}
    if email.strip():
        found = await people_search.by_email(here.parts.db, here.workspace_id, email, start=start, limit=PAGE)
        listed = {"people": found["identifiers"], "next": found["next"]}
    return here.render(
        "people.html", tab="people", name=name, id_type=id_type, email=email.strip(), later=start is not None, **listed
    )


@inside.get("/people/{cio_id}")
async def person(
    here: OnPage,
    cio_id: str,
    *,
    types: Annotated[list[EntryType] | None, Query()] = None,
    start: Cursor = None,
) -> Response:
    """One person: who they are, where they are, what happened to them."""
    query = TimelineQuery(cio_id, "cio_id", types=types or TYPES)
    found = await here.desk.person(here.workspace_id, query, start=start, limit=PAGE, now=here.now)
    return here.render(
        "person.html", tab="people", types=TYPES, chosen=types or TYPES, later=start is not None, **found
    )


@inside.get("/messages/{delivery_id}")
async def delivery(here: OnPage, delivery_id: str) -> Response:
    """One delivery: what became of it, what it said, every attempt."""
    found = await here.desk.delivery(here.workspace_id, delivery_id)
    headers = orjson.loads(found["archived_message"]["headers"])
    return here.render("delivery.html", tab="mailbox", headers=headers, **found)


@inside.get("/messages/{delivery_id}/html")
async def delivery_frame(here: OnPage, delivery_id: str) -> Response:
    """The HTML part alone, under a policy that lets nothing in it run or load."""
    found = await here.desk.delivery(here.workspace_id, delivery_id)
    return pages.html(found["archived_message"]["body"], FRAME_POLICY)


@inside.get("/mailbox")
async def mailbox(
    here: OnPage,
    *,
    to: Text = "",
    channel: Literal["", Channel] = "",
    include: Literal["", "refused"] = "",
    start: Cursor = None,
) -> Response:
    """What left, or would have left, newest first."""
    query = MailboxQuery(to=to.strip() or None, channel=channel or None, include=include or None)
    found = await here.desk.mailbox(here.workspace_id, query, start=start, limit=PAGE)
    return here.render(
        "mailbox.html",
        tab="mailbox",
        channels=CHANNELS,
        filters={"to": to, "channel": channel, "include": include},
        filtered=bool(to or channel or include),
        later=start is not None,
        **found,
    )


@inside.get("/mailbox/{captured_id}")
async def captured(here: OnPage, captured_id: str) -> Response:
    """One message of the mailbox: headers, HTML, text."""
    found = await here.desk.captured(here.workspace_id, captured_id)
    return here.render("captured.html", tab="mailbox", **found)


@inside.get("/mailbox/{captured_id}/html")
async def captured_frame(here: OnPage, captured_id: str) -> Response:
    """The HTML part alone, under a policy that lets nothing in it run or load."""
    found = await here.desk.captured(here.workspace_id, captured_id)
    return pages.html(_html_of(found["message"]), FRAME_POLICY)


@inside.get("/mailbox/{captured_id}/raw")
async def captured_source(here: OnPage, captured_id: str) -> Response:
    """The source, as plain text: nothing of it is interpreted."""
    source, _ = await here.desk.captured_source(here.workspace_id, captured_id)
    headers = {**pages.BASE_HEADERS, "Content-Security-Policy": pages.policy(sandbox="")}
    return Response(source, 200, headers, "text/plain; charset=utf-8")


def _html_of(message: dict[str, Any]) -> str:
    body = message["rendered"].get("html")
    return body if isinstance(body, str) else ""


def _workflow_page(here: Page, workflow_id: str) -> str | None:
    """The journey's workflow in the Temporal UI, where it is known where that is."""
    place = here.parts.workflows_url
    if place is None or not place.startswith(("http://", "https://")):
        return None
    return f"{place}/{segment(workflow_id)}"


router.include_router(sessions.router)
router.include_router(inside)
router.include_router(campaign_views.router)
router.include_router(broadcast_views.router)
router.include_router(explain_views.router)
router.include_router(data_views.router)
router.include_router(segment_views.router)


@router.get("/ui/{rest:path}")
async def nothing(rest: str) -> Response:
    """What no other page is found at."""
    raise NotFound("page", rest)
