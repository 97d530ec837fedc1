"""How a page of the desk is made: session, workspace, template, headers; refusals are pages, too."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from api import pages
from api.deps import Now, Parts, ProcessParts
from api.errors import STATUSES
from api.ui import words
from domain.errors import DomainError, InvalidInput
from domain.values import to_unix
from services.looking.desk import Desk, workspace_of
from store.failures import is_unavailable

logger = logging.getLogger("sojourn.api")

COOKIE: Final = "sojourn_ui"
HERE: Final = Path(__file__).parent
TEMPLATES: Final = pages.environment(HERE / "templates")
TEMPLATES.filters.update(words.FILTERS)
POLICY: Final = pages.policy(style_src="'self'", img_src="'self'", frame_src="'self'")
TITLES: Final[Mapping[int, str]] = {
    400: "That request makes no sense",
    403: "Not with this token",
    404: "There is nothing here",
    422: "That filter fits nothing",
    503: "The database does not answer",
}


class SignedOut(Exception):
    """Nobody is signed in, or no longer."""


@dataclass(frozen=True)
class Page:
    """Everything a page needs: who reads, in which workspace, at which instant there."""

    request: Request
    parts: Parts
    desk: Desk
    workspace_id: int
    workspaces: list[dict[str, Any]]
    now: datetime

    def render(self, template: str, /, *, tab: str, **context: Any) -> Response:
        """The page from this template."""
        here = next(w for w in self.workspaces if w["id"] == self.workspace_id)
        now = to_unix(self.now)
        text = pages.render(
            TEMPLATES,
            template,
            tab=tab,
            workspace=here,
            workspaces=self.workspaces,
            base=f"/ui/{self.workspace_id}",
            now=now,
            distance=lambda seconds: words.distance(seconds, now),
            link=self.link,
            signed_in=True,
            **context,
        )
        return pages.html(text, POLICY)

    def link(self, **changes: Any) -> str:
        """This very address with other parameters; None and the empty text take one away."""
        pairs = [(name, text) for name, text in self.request.query_params.multi_items() if name not in changes]
        pairs += [(name, str(text)) for name, text in changes.items() if text not in (None, "")]
        query = urlencode(pairs)
        return f"{self.request.url.path}?{query}" if query else self.request.url.path


class PageRoute(APIRoute):
    """A route whose refusals are pages: whoever is signed out is asked to sign in, everything else is said in words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with its refusals turned into pages."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except SignedOut:
                return to_login(request)
            except RequestValidationError as error:
                if any(detail["loc"][0] == "path" for detail in error.errors()):
                    return refusal(404, "No page has this address.")
                return refusal(400, "One of the parameters in the address is not understood.")
            except DomainError as error:
                status = STATUSES.get(error.code, 422 if isinstance(error, InvalidInput) else 400)
                return refusal(status, error.message)
            except Exception as error:  # noqa: BLE001 - whoever looks at a page gets a page, whatever went wrong
                return _last_resort(error)

        return handled


async def signed_in(request: Request, parts: ProcessParts) -> None:
    """Let nobody pass without a session of a service account; raises SignedOut."""
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise SignedOut
    try:
        caller = await parts.access.bearer(token)
    except DomainError as error:
        if error.code == "unauthorized":
            raise SignedOut from None
        raise
    if caller.workspace_id is not None:
        raise SignedOut


def desk(parts: ProcessParts) -> Desk:
    """The reads."""
    return Desk(parts.db, parts.catalogs)


async def page(
    request: Request,
    _session: Annotated[None, Depends(signed_in)],
    parts: ProcessParts,
    reads: Annotated[Desk, Depends(desk)],
    now: Now,
    workspace_id: int,
) -> Page:
    """The page being asked for; raises NotFound where there is no such workspace."""
    found = await reads.workspaces()
    workspace = workspace_of(found, workspace_id)
    listed = [{"id": w.workspace_id, "name": w.name, "sandbox": w.sandbox, "now": to_unix(w.now(now))} for w in found]
    return Page(request, parts, reads, workspace_id, listed, workspace.now(now))


def to_login(request: Request) -> Response:
    """The way to the sign-in form, and back here after it."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    headers = {**pages.BASE_HEADERS, "Content-Security-Policy": POLICY}
    return RedirectResponse(f"/ui/login?next={quote(wanted, safe='')}", 303, headers)


def refusal(status: int, message: str) -> Response:
    """A page that says what is wrong and where to go on."""
    title = TITLES.get(status, "Something is in the way")
    text = pages.render(TEMPLATES, "error.html", title=title, status=status, message=message, signed_in=False, tab="")
    return pages.html(text, POLICY, status)


def _last_resort(error: Exception) -> Response:
    if is_unavailable(error):
        logger.warning("A page was refused: the database is away (%s).", type(error).__name__)
        return refusal(503, "It may be starting again. Reload this page in a moment.")
    error_id = secrets.token_hex(8)
    logger.error("A page failed.", exc_info=error, extra={"error_id": error_id})
    return refusal(500, f"Something went wrong on our side; the log calls it {error_id}.")


OnPage = Annotated[Page, Depends(page)]
SignedIn = Annotated[None, Depends(signed_in)]

__all__ = ["COOKIE", "HERE", "POLICY", "TEMPLATES", "OnPage", "Page", "PageRoute", "SignedIn", "desk", "refusal"]
