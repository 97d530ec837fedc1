"""Track, first version: identify a person, record an event, ask whether a credential works."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_V1_LIMIT, json_value, media_type, read_body
from api.deps import parts, track_caller
from api.errors import json_response
from api.track import schemas
from api.track.calls import Incoming, described, done
from domain import track
from domain.errors import DomainError
from domain.forms import nested
from domain.values import check_json

router = APIRouter(tags=["Track API"], responses=schemas.V1_ANSWERS)

FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 1000
_JSON = "application/json"


async def identify(request: Request) -> Response:
    """Add the person or update their attributes; what the body does not name stays as it is."""
    incoming = await Incoming.of(request)
    subject = track.subject_of(request.path_params.get("identifier", ""), incoming.rules)
    await incoming.accept([track.identify(subject, await json_value(request, TRACK_V1_LIMIT), incoming.rules)])
    return done()


async def record_event(request: Request) -> Response:
    """Record something the person did; who is not known yet is added."""
    incoming = await Incoming.of(request)
    subject = track.subject_of(request.path_params.get("identifier", ""), incoming.rules)
    await incoming.accept([track.event(subject, await _event_body(request))])
    return done()


@router.get(
    "/api/v1/accounts/region",
    operation_id="getRegion",
    summary="Whether a Track pair works, and for which workspace",
    openapi_extra={"security": [{"TrackPair": []}]},
)
async def region(request: Request) -> Response:
    """The vendor's probe of a credential: our own address, the one region there is, the workspace."""
    inside = await track_caller(request)
    answer = {"url": parts(request).base_url, "region": "us", "environment_id": inside.workspace_id}
    return json_response(answer)


async def _event_body(request: Request) -> Any:
    if media_type(request) != FORM:
        return await json_value(request, TRACK_V1_LIMIT)
    try:
        text = (await read_body(request, TRACK_V1_LIMIT)).decode()
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise DomainError("invalid_form", f"The body is not a form: {error}.") from None
    value = nested(fields)
    check_json(value)
    return value


def _add(path: str, methods: list[str], name: str, *, event: bool, shown: bool = False) -> None:
    forms = [(_JSON, schemas.EVENT), (FORM, {"type": "object"})] if event else [(_JSON, schemas.IDENTIFY)]
    router.add_api_route(
        path,
        record_event if event else identify,
        methods=methods,
        operation_id=name,
        summary="Record an event of a person" if event else "Add or update a person",
        include_in_schema=shown,
        openapi_extra=described(*forms),
    )


_add("/api/v1/customers/{identifier}", ["PUT"], "identify", event=False, shown=True)
_add("/api/v1/customers/{identifier}/events", ["POST"], "track", event=True, shown=True)
# Spellings of docs and clients that mean the same (API-01, API-06).
_add("/api/v1/customers/{identifier}/events", ["PUT"], "trackByPut", event=True)
_add("/api/v1/customers", ["PUT"], "identifyNobody", event=False)
_add("/api/v1/customer/{identifier}", ["POST", "PUT"], "identifySingular", event=False)
_add("/v1/customers/{identifier}", ["PUT"], "identifyBare", event=False)
_add("/v1/customers/{identifier}/events", ["POST", "PUT"], "trackBare", event=True)

__all__ = ["router"]
