"""Track, first version, events: of a person, of an anonymous id (API-06, API-07)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.track import schemas
from api.track.calls import FORM, JSON, Incoming, described, done, event_body, register
from domain import track

router = APIRouter(tags=["Track API"], responses=schemas.V1_ANSWERS)


async def record_event(request: Request) -> Response:
    """Record something the person did; who is not known yet is added."""
    incoming = await Incoming.of(request)
    subject = incoming.person
    await incoming.accept(track.event(subject, await event_body(request)))
    return done()


async def record_anonymous_event(request: Request) -> Response:
    """Keep something somebody did who is not known yet, until a person is identified with the same `anonymous_id`."""
    incoming = await Incoming.of(request)
    await incoming.accept(track.anonymous_event(await event_body(request)))
    return done()


register(
    router,
    "/customers/{identifier}/events",
    record_event,
    "track",
    ["POST"],
    others=["PUT"],
    summary="Record an event of a person",
    extra=described((JSON, schemas.EVENT), (FORM, {"type": "object"})),
)
register(
    router,
    "/events",
    record_anonymous_event,
    "trackAnonymous",
    ["POST"],
    summary="Record an anonymous event",
    extra=described((JSON, schemas.ANONYMOUS_EVENT), (FORM, {"type": "object"})),
)

__all__ = ["router"]
