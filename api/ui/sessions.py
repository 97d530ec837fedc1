"""Signing in and out: the token stands in a cookie that only this desk gets and no script can read."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import pages
from api.bodies import read_body
from api.deps import ProcessParts
from api.ui.pages import COOKIE, POLICY, TEMPLATES, PageRoute
from domain.errors import DomainError

router = APIRouter(route_class=PageRoute, include_in_schema=False)

HOME: Final = "/ui"
LIMIT: Final = 8 * 1024
UNKNOWN: Final = "This token is not known here. Copy it whole, without spaces."
APP_KEY: Final = (
    "This is the App key of one workspace. The desk takes a service-account token, which begins with sa_live_."
)


@router.get("/ui/login")
async def login_form(wanted: Annotated[str, Query(alias="next", max_length=2048)] = HOME) -> Response:
    """The form."""
    return _form(wanted)


@router.post("/ui/login")
async def login(request: Request, parts: ProcessParts) -> Response:
    """Start a session with a service-account token."""
    fields = dict(parse_qsl((await read_body(request, LIMIT)).decode(errors="replace")))
    token, wanted = fields.get("token", "").strip(), fields.get("next", HOME)
    try:
        caller = await parts.access.bearer(token)
    except DomainError as error:
        if error.code != "unauthorized":
            raise
        return _form(wanted, UNKNOWN)
    if caller.workspace_id is not None:
        return _form(wanted, APP_KEY)
    answer = RedirectResponse(_inside(wanted), 303, pages.BASE_HEADERS)
    answer.set_cookie(COOKIE, token, path="/ui", httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


@router.post("/ui/logout")
async def logout() -> Response:
    """End the session."""
    answer = RedirectResponse("/ui/login", 303, pages.BASE_HEADERS)
    answer.delete_cookie(COOKIE, path="/ui", httponly=True, samesite="strict")
    return answer


def _form(wanted: str, fault: str | None = None) -> Response:
    text = pages.render(TEMPLATES, "login.html", wanted=_inside(wanted), fault=fault, signed_in=False, tab="")
    return pages.html(text, POLICY, 200 if fault is None else 403)


def _inside(wanted: str) -> str:
    """The address to go on to, if it is one of this desk's own."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    ours = wanted == HOME or wanted.startswith((f"{HOME}/", f"{HOME}?"))
    return wanted if plain and ours and not wanted.startswith((f"{HOME}/login", f"{HOME}/logout")) else HOME
