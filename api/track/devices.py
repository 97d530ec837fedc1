"""Track, first version, devices: the push tokens of a person (API-08)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_V1_LIMIT, json_value
from api.track import schemas
from api.track.calls import JSON, Incoming, described, done, register
from domain import track

router = APIRouter(tags=["Track API"], responses=schemas.V1_ANSWERS)


async def add(request: Request) -> Response:
    """Register a push token of the person, who is added if need be; it leaves whoever had it before."""
    incoming = await Incoming.of(request)
    subject = incoming.person
    await incoming.accept(track.add_device(subject, await json_value(request, TRACK_V1_LIMIT), incoming.rules))
    return done()


async def delete(request: Request) -> Response:
    """Forget a push token of the person; one that is not theirs stays."""
    incoming = await Incoming.of(request)
    await incoming.accept(track.delete_device(incoming.person, request.path_params.get("device_id")))
    return done()


register(
    router,
    "/customers/{identifier}/devices",
    add,
    "add_device",
    ["PUT"],
    summary="Add or update a device",
    extra=described((JSON, schemas.DEVICE)),
)
register(
    router,
    "/customers/{identifier}/devices/{device_id}",
    delete,
    "delete_device",
    ["DELETE"],
    summary="Delete a device",
    extra=described(),
)

__all__ = ["router"]
