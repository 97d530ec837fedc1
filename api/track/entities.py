"""Track, second version: one operation, or a batch of them, chosen by type and action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_BATCH_LIMIT, TRACK_ENTITY_LIMIT, json_value
from api.errors import json_response
from api.track import schemas
from api.track.calls import Incoming, described, done
from domain.track import Call, CallRefused, Fault, Rules
from domain.track_v2 import entity

router = APIRouter(tags=["Track API"])


async def one(request: Request) -> Response:
    """Identify a person or record an event, a page or a screen of theirs."""
    incoming = await Incoming.of(request)
    await incoming.accept([entity(await json_value(request, TRACK_ENTITY_LIMIT), incoming.rules)])
    return done()


async def batch(request: Request) -> Response:
    """Up to 500 KB of operations, each below 32 KB; those of one person are applied in this order."""
    incoming = await Incoming.of(request)
    items = _items(await json_value(request, TRACK_BATCH_LIMIT))
    calls, errors = _read(items, incoming.rules)
    await incoming.accept(calls)
    if not errors:
        return done()
    return json_response({"errors": errors}, 207 if calls else 400)


def _items(body: Any) -> Sequence[Any]:
    if not isinstance(body, dict):
        raise CallRefused([Fault("invalid", "", "the request must be a JSON object")])
    items = body.get("batch")
    if items is None:
        raise CallRefused([Fault("required", "batch", "batch must be present")])
    if not isinstance(items, list):
        raise CallRefused([Fault("invalid", "batch", "batch must be an array")])
    return items


def _read(items: Sequence[Any], rules: Rules) -> tuple[list[Call], list[dict[str, Any]]]:
    calls: list[Call] = []
    errors: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            calls.append(entity(item, rules))
        except CallRefused as refusal:
            errors += [{"batch_index": index, **fault._asdict()} for fault in refusal.faults]
    return calls, errors


def _add(path: str, name: str, *, many: bool, shown: bool = False) -> None:
    router.add_api_route(
        path,
        batch if many else one,
        methods=["POST"],
        operation_id=name,
        summary="Many operations" if many else "One operation",
        responses=schemas.BATCH_ANSWERS if many else schemas.V2_ANSWERS,
        include_in_schema=shown,
        openapi_extra=described(("application/json", schemas.BATCH if many else schemas.ENTITY)),
    )


_add("/api/v2/entity", "entity", many=False, shown=True)
_add("/api/v2/batch", "batch", many=True, shown=True)
_add("/v2/entity", "entityBare", many=False)
_add("/v2/batch", "batchBare", many=True)

__all__ = ["router"]
