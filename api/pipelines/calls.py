"""The calls of the Pipelines API, in all the spellings of its clients (API-01, API-17, API-25, API-35)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Request, Response

from api.pipelines import schemas
from api.pipelines.answers import done, preflight
from api.pipelines.incoming import BATCH, Incoming
from domain.pipelines import KINDS

router = APIRouter(tags=["Pipelines API"], responses=schemas.ANSWERS)

OTHER_PATHS: Final = {"track": ("/v1/api/track",), BATCH: ("/b",)}
"""Spellings besides the whole word and its first letter."""


def _taking(kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        await Incoming(request, kind).take()
        return done()

    return take


async def _preflight(_request: Request) -> Response:
    return preflight()


def _add(kind: str) -> None:
    for path in (f"/v1/{kind}", f"/v1/{kind[0]}", *OTHER_PATHS.get(kind, ())):
        shown = path == f"/v1/{kind}"
        router.add_api_route(
            path,
            _taking(kind),
            methods=["POST"],
            operation_id=f"pipelines_{kind}",
            summary=schemas.SUMMARIES[kind],
            description=schemas.DESCRIPTIONS[kind],
            include_in_schema=shown,
            openapi_extra=schemas.described(kind),
        )
        router.add_api_route(path, _preflight, methods=["OPTIONS"], include_in_schema=False)


for _kind in (*KINDS, BATCH):
    _add(_kind)

__all__ = ["router"]
