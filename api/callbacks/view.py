"""An email in a browser: the page behind the link that an email shows where its template asks for one (MSG-08)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from api import pages
from api.deps import Db
from services.looking import viewing

router = APIRouter(tags=["View in browser"])

_NOT_THERE: Final = (
    "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Not available</title>"
    "<p>This message is not available in the browser.</p></html>"
)
# An email is somebody else's HTML on our own address: nothing in it may run, send a form, or act as the rest of the site.
_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; img-src http: https: data:; media-src http: https:; font-src http: https: data:; "
    "style-src 'unsafe-inline' http: https:"
)
_ROBOTS: Final = {"X-Robots-Tag": "noindex, nofollow"}


@router.get(
    "/view/{delivery_id}",
    operation_id="viewInBrowser",
    summary="An email as a page",
    response_class=HTMLResponse,
    responses=pages.described({404: "There is no such email, it shows no link to this page, or it is no longer kept."}),
)
@router.head("/view/{delivery_id}", include_in_schema=False)
async def view(db: Db, delivery_id: str) -> Response:
    """The email as it was sent to its recipient; whoever has the link can see it."""
    html = await viewing.html_of(db, delivery_id)
    if html is None:
        return pages.html(_NOT_THERE, _POLICY, 404, _ROBOTS)
    return pages.html(html, _POLICY, 200, _ROBOTS)


__all__ = ["router"]
