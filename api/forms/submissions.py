"""Forms sent by backends: `POST /api/v1/forms/{form_id}/submit` (API-33)."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_V1_LIMIT, json_value
from api.deps import parts, track_caller
from api.track import schemas
from api.track.calls import JSON, described
from clock import system_now
from domain.form_submissions import fields_of
from services.forms import Forms, Sent

_TAKEN: Final = {"description": "Stored; it will be processed. The form is known from now on."}
_REFUSED: Final = {
    **schemas.V1_ANSWERS[400],
    "description": "Not stored: what is wrong, first and all. A form that was not known is known from now on.",
}
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "description": "Fields and what was filled in: exactly one of `email` and `id`, or a field mapped to one.",
            "additionalProperties": {"type": "string"},
        }
    },
    "examples": [{"data": {"email": "ann@example.com", "first_name": "Ann"}}],
}
router = APIRouter(
    tags=["Track API"], responses={204: _TAKEN, 400: _REFUSED, 401: schemas.V1_ANSWERS[401], 503: schemas.AWAY}
)


async def submit(request: Request) -> Response:
    """Identify whoever sent the form, with its fields as attributes, and record the event `form_submit`."""
    inside = await track_caller(request)
    fields = fields_of(await json_value(request, TRACK_V1_LIMIT))
    process = parts(request)
    sent = Sent(request.path_params["form_id"], fields, parameters=dict(request.query_params))
    await Forms(process.db, process.catalogs, process.acceptor).take(inside.workspace_id, sent, system_now())
    return Response(status_code=204)


for _prefix, _name in (("/api/v1", "submitForm"), ("/v1", "submitFormBare")):
    router.add_api_route(
        f"{_prefix}/forms/{{form_id}}/submit",
        submit,
        methods=["POST"],
        status_code=204,
        operation_id=_name,
        summary="Submit a form",
        include_in_schema=_prefix == "/api/v1",
        openapi_extra=described((JSON, _SCHEMA))
        | {"parameters": [{"name": "form_id", "in": "path", "required": True, "schema": {"type": "string"}}]},
    )

__all__ = ["router"]
