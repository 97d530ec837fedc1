"""Track, first version, manual segments: people in and out (API-11)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_V1_LIMIT, json_value
from api.deps import parts
from api.track import schemas
from api.track.calls import JSON, Incoming, described, done, register
from domain import track
from domain.track import CallRefused, Fault

router = APIRouter(tags=["Track API"], responses=schemas.V1_ANSWERS)

_LARGEST = 2**31 - 1


async def add(request: Request) -> Response:
    """Put people into a manual segment; ids and addresses that nobody has become people."""
    return await _change(request, member=True)


async def remove(request: Request) -> Response:
    """Take people out of a manual segment; who is unknown is left out."""
    return await _change(request, member=False)


async def _change(request: Request, *, member: bool) -> Response:
    incoming = await Incoming.of(request)
    kind = track.kind_of(request.query_params.get("id_type") or "id", incoming.rules)
    body = await json_value(request, TRACK_V1_LIMIT)
    segment_id = await _manual_segment(request, incoming.workspace_id)
    await incoming.accept(track.change_members(segment_id, body, kind, member=member))
    return done()


async def _manual_segment(request: Request, workspace_id: int) -> int:
    """The number of the manual segment that the path names; raises CallRefused where there is none."""
    said = request.path_params.get("segment_id", "")
    number = int(said) if said.isascii() and said.isdecimal() and len(said) <= 10 else 0
    process = parts(request)
    async with process.db.connection() as conn:
        compiled = (await process.catalogs.get(conn, workspace_id)).compiled
    if number in compiled.manual_segments:
        return number
    message = "segment is not a manual segment" if number in compiled.segments else "segment does not exist"
    message = "segment is archived" if number in compiled.archived_segments else message
    raise CallRefused([Fault("invalid", "segment_id", message)])


def _described() -> dict[str, Any]:
    kinds = {"type": "string", "enum": ["id", "email", "cio_id"], "default": "id"}
    number = {"type": "integer", "minimum": 1, "maximum": _LARGEST}
    return described((JSON, schemas.SEGMENT_IDS)) | {
        "parameters": [
            {"name": "segment_id", "in": "path", "required": True, "schema": number},
            {"name": "id_type", "in": "query", "required": False, "schema": kinds},
        ]
    }


for _word, _endpoint, _name, _summary in (
    ("add_customers", add, "add_to_segment", "Add people to a manual segment"),
    ("remove_customers", remove, "remove_from_segment", "Remove people from a manual segment"),
):
    register(
        router,
        f"/segments/{{segment_id}}/{_word}",
        _endpoint,
        _name,
        ["POST"],
        summary=_summary,
        extra=_described(),
    )

__all__ = ["router"]
