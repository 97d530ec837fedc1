"""The unsubscribe link: a page that asks (GET changes nothing), the button, one-click and the bare call (SUB-08 to 11)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api import pages
from api.bodies import media_type, read_body
from api.deps import Db, Now, Parts, ProcessParts
from api.errors import json_response
from domain.errors import DomainError
from ingest.parse import parse_json
from services.looking import leaving
from services.looking.leaving import Leaver

router = APIRouter(tags=["Unsubscribing"])

LIMIT: Final = 16 * 1024
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
_FOLDER = Path(__file__).parent / "templates"
_TEMPLATES = pages.environment(_FOLDER)
_STYLE = pages.public_style(_FOLDER / "unsubscribe.css")
_POLICY = pages.policy(style_src=pages.style_hash(_STYLE))
_ROBOTS = {"X-Robots-Tag": "noindex, nofollow"}

View = Literal["ask", "asked_before", "gone", "left", "back", "unclear", "unknown"]
Wish = Literal["leave", "come_back", "one_click"]
_ANSWERS: Final = pages.described(
    {
        200: "A page; `{}` where the call had a JSON body.",
        400: "Nothing was asked for that can be done.",
        404: "No delivery has this id.",
    },
    or_json=(200, 400),
)


@router.get(
    "/unsubscribe/{delivery_id}",
    operation_id="showUnsubscribe",
    summary="The page behind an unsubscribe link",
    response_class=HTMLResponse,
    responses={404: _ANSWERS[404]},
)
@router.head("/unsubscribe/{delivery_id}", include_in_schema=False)
async def show(db: Db, delivery_id: str) -> Response:
    """A page with a button. Scanners follow links, so looking changes nothing."""
    leaver = await leaving.find(db, delivery_id)
    if leaver is None:
        return _page("unknown", None, 404)
    if leaver.person_id is None:
        return _page("gone", leaver)
    return _page("asked_before" if leaver.unsubscribed else "ask", leaver)


@router.post(
    "/unsubscribe/{delivery_id}",
    operation_id="unsubscribe",
    summary="Unsubscribe the recipient of a delivery",
    responses=_ANSWERS,
)
async def decide(request: Request, db: Db, process: ProcessParts, now: Now, delivery_id: str) -> Response:
    """The page's button, a mail program's one-click (RFC 8058), or `{"unsubscribe": true}` from a page of your own."""
    if media_type(request) == JSON:
        return await _bare_call(request, process, now, delivery_id)
    wish = _wish(await _fields(request))
    leaver = await leaving.find(db, delivery_id)
    if leaver is None:
        # A mail program must not tell its user that leaving failed, only because the message is long forgotten.
        forgotten = wish == "one_click" and leaving.is_delivery_id(delivery_id)
        return _page("gone", None) if forgotten else _page("unknown", None, 404)
    if wish is None:
        return _page("unclear", leaver, 400)
    if leaver.person_id is None:
        return _page("gone", leaver)
    await leaving.decide(process.acceptor, leaver, unsubscribe=wish != "come_back", now=now)
    return _page("back" if wish == "come_back" else "left", leaver)


async def _bare_call(request: Request, process: Parts, now: datetime, delivery_id: str) -> Response:
    """The call of an unsubscribe page that somebody else hosts; a delivery nobody knows is ignored (API-10)."""
    body = parse_json(await read_body(request, LIMIT))
    if not leaving.is_delivery_id(delivery_id):
        raise DomainError("invalid_parameter", "This is not the id of a delivery.")
    if not isinstance(body, dict) or body.get("unsubscribe") is not True:
        raise DomainError("invalid_parameter", 'The body is {"unsubscribe": true}.', "/unsubscribe")
    leaver = await leaving.find(process.db, delivery_id)
    if leaver is not None:
        await leaving.decide(process.acceptor, leaver, unsubscribe=True, now=now)
    return json_response({})


async def _fields(request: Request) -> dict[str, str]:
    """The form, in either encoding; nothing where the body is no form."""
    kind = media_type(request)
    if kind == FORM:
        return dict(parse_qsl((await read_body(request, LIMIT)).decode(errors="replace")))
    if kind == MULTIPART:
        return _multipart(await read_body(request, LIMIT))
    return {}


def _multipart(body: bytes) -> dict[str, str]:
    """The one field that matters, wherever it stands: mail programs may send one-click in this encoding."""
    text = body.decode(errors="replace").replace("\r\n", "\n")
    one_click = 'name="list-unsubscribe"\n\none-click\n' in text.casefold()
    return {"List-Unsubscribe": "One-Click"} if one_click else {}


def _wish(fields: dict[str, str]) -> Wish | None:
    if any(name.casefold() == "list-unsubscribe" and value.casefold() == "one-click" for name, value in fields.items()):
        return "one_click"
    wishes: dict[str, Wish] = {"unsubscribe": "leave", "resubscribe": "come_back"}
    return wishes.get(fields.get("action", ""))


def _page(view: View, leaver: Leaver | None, status: int = 200) -> Response:
    text = pages.render(
        _TEMPLATES,
        "unsubscribe.html",
        view=view,
        style=_STYLE,
        delivery_id=None if leaver is None else leaver.delivery_id,
        address=None if leaver is None or leaver.recipient is None else _veiled(leaver.recipient),
        sender=None if leaver is None or leaver.sender is None else _display_name(leaver.sender),
    )
    return pages.html(text, _POLICY, status, _ROBOTS)


def _veiled(address: str) -> str:
    """An address that its owner knows again and a stranger cannot use."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}•••{at}{domain}" if at and local else "•••"


def _display_name(sender: str) -> str:
    """The name in `"Name" <address>`, or else the address."""
    name = sender.partition("<")[0].strip().strip('"').strip()
    return name or sender.strip().strip("<>")
