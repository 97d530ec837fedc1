"""Track, first version, people: identify, delete, suppress, merge (API-04, API-05, API-09)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.bodies import TRACK_V1_LIMIT, json_value
from api.track import schemas
from api.track.calls import JSON, Incoming, described, done, register
from domain import track
from domain.operations import DeletePerson, SuppressPerson, UnsuppressPerson
from domain.track import Call

router = APIRouter(tags=["Track API"], responses=schemas.V1_ANSWERS)


async def identify(request: Request) -> Response:
    """Add the person or update their attributes; what the body does not name stays as it is."""
    incoming = await Incoming.of(request)
    subject = incoming.person
    await incoming.accept(track.identify(subject, await json_value(request, TRACK_V1_LIMIT), incoming.rules))
    return done()


async def delete(request: Request) -> Response:
    """Remove the person with everything of theirs. Nothing comes back; the identifiers may be used again."""
    incoming = await Incoming.of(request)
    await incoming.accept(Call((DeletePerson(subject=incoming.person),)))
    return done()


async def suppress(request: Request) -> Response:
    """Remove the person and take none of their identifiers again."""
    incoming = await Incoming.of(request)
    await incoming.accept(Call((SuppressPerson(subject=incoming.person),)))
    return done()


async def unsuppress(request: Request) -> Response:
    """Let identifiers be used again that were suppressed together; nothing comes back."""
    incoming = await Incoming.of(request)
    await incoming.accept(Call((UnsuppressPerson(subject=incoming.person),)))
    return done()


async def merge(request: Request) -> Response:
    """Make one person of two: the secondary's data moves to the primary, then the secondary is gone for good."""
    incoming = await Incoming.of(request)
    await incoming.accept(track.merge(await json_value(request, TRACK_V1_LIMIT), incoming.rules))
    return done()


_PERSON = "/customers/{identifier}"
_ATTRIBUTES = described((JSON, schemas.IDENTIFY))
register(router, _PERSON, identify, "identify", ["PUT"], summary="Add or update a person", extra=_ATTRIBUTES)
register(router, _PERSON, delete, "delete", ["DELETE"], summary="Delete a person", extra=described())
register(router, f"{_PERSON}/suppress", suppress, "suppress", ["POST"], summary="Suppress a person", extra=described())
register(
    router,
    f"{_PERSON}/unsuppress",
    unsuppress,
    "unsuppress",
    ["POST"],
    summary="Unsuppress a person",
    extra=described(),
)
register(
    router,
    "/merge_customers",
    merge,
    "merge",
    ["POST"],
    summary="Merge two people",
    extra=described((JSON, schemas.MERGE)),
)
# Calls without an identifier are told what is missing; the singular is a spelling of old pages (API-01).
router.add_api_route("/api/v1/customers", identify, methods=["PUT"], include_in_schema=False)
router.add_api_route("/api/v1/customers", delete, methods=["DELETE"], include_in_schema=False)
router.add_api_route("/api/v1/customer/{identifier}", identify, methods=["POST", "PUT"], include_in_schema=False)

__all__ = ["router"]
