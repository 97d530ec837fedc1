"""Forms sent by browsers: the `action` of a form on somebody's page, and where it leads (API-33)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from api import pages
from api.bodies import TRACK_V1_LIMIT, media_type, read_body
from api.deps import ProcessParts
from clock import system_now
from domain.errors import DomainError
from domain.form_submissions import fields_of
from domain.track.calls import CallRefused
from domain.values import check_json
from services.forms import Forms, Sent, may_lead_to

router = APIRouter(tags=["Forms"])

FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 1_000
_OWN: Final = frozenset({"site_id", "form_id", "success_url"})
_FOLDER = Path(__file__).parent / "templates"
_TEMPLATES = pages.environment(_FOLDER)
_STYLE = pages.public_style(_FOLDER / "sent.css")
_POLICY = pages.policy(style_src=pages.style_hash(_STYLE))
_ROBOTS = {"X-Robots-Tag": "noindex, nofollow"}
_BODY: Final[dict[str, Any]] = {
    "security": [],
    "requestBody": {"required": True, "content": {FORM: {"schema": {"type": "object"}}}},
}
_UNCONNECTED: Final = "This form is not connected to anything. Please tell whoever runs the page."

Text = Annotated[str, Query(max_length=2_000)]


@router.post(
    "/forms/submit_action",
    operation_id="submitFormAction",
    summary="The action of an HTML form",
    response_class=HTMLResponse,
    responses={
        **pages.described({400: "What is wrong with it.", 404: "No workspace has this site id."}, or_json=(400,)),
        303: {"description": "To `success_url`, where its host is one of the form's `success_hosts`."},
    },
    openapi_extra=_BODY,
)
async def submit(
    request: Request, process: ProcessParts, *, site_id: Text = "", form_id: Text = "", success_url: Text = ""
) -> Response:
    """As `submitForm`, from a page: the site id names the workspace, there is no credential. Answers with a page."""
    try:
        caller = await process.access.site(site_id)
    except DomainError:
        return _page("refused", 404, [_UNCONNECTED])
    assert caller.workspace_id is not None, "sites belong to workspaces"
    if process.rates is not None and not caller.sandbox:
        await process.rates.take(caller.workspace_id, "track")
    page = request.headers.get("referer")
    try:
        fields = fields_of({"data": await _fields(request)})
        sent = Sent(form_id, fields, page, _parameters(request, page))
        forms = Forms(process.db, process.catalogs, process.acceptor)
        form = await forms.take(caller.workspace_id, sent, system_now())
    except CallRefused as refusal:
        return _page("refused", 400, [fault.message for fault in refusal.faults])
    if success_url and may_lead_to(form, success_url):
        return Response(status_code=303, headers={"Location": success_url, "Cache-Control": "no-store"})
    return _page("taken", 200)


async def _fields(request: Request) -> dict[str, str]:
    """What was filled in; several values of one field are listed in one text."""
    if media_type(request) != FORM:
        raise DomainError("unsupported_media_type", f"A form is sent as {FORM}.")
    body = await read_body(request, TRACK_V1_LIMIT)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise DomainError("invalid_form", f"The body is not a form: {error}.") from None
    fields = _joined(pairs)
    check_json(fields)
    return fields


def _parameters(request: Request, page: str | None) -> dict[str, str]:
    """The parameters in the address of the page, and those in the form's own action that are not ours."""
    try:
        query = urlsplit(page or "").query
        found = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        own = [(name, value) for name, value in request.query_params.multi_items() if name not in _OWN]
        parameters = _joined([*found, *own])
        check_json(parameters)
    except (ValueError, DomainError):
        return {}
    return parameters


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _page(view: str, status: int, faults: Iterable[str] = ()) -> Response:
    text = pages.render(_TEMPLATES, "sent.html", view=view, style=_STYLE, faults=list(faults))
    return pages.html(text, _POLICY, status, _ROBOTS)


__all__ = ["router"]
