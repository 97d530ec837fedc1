"""What transactional messages say, in each of their languages (APP-08)."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from api import bodies
from api.app_api import content_shapes as shapes
from api.app_api.actions import number, said_wrong
from api.app_api.references import named
from api.deps import Db, Now, ProcessParts, Reading, Writing
from api.errors import json_response
from api.management.answers import errors
from services import contents_templates as contents

router = APIRouter(tags=["Transactional messages"])

Id = Annotated[str, Path(description="The id, or the key.")]
ContentId = Annotated[str, Path(description="The content's id.")]
_WHAT: Final = "transactional message id"
_DESCRIBED: Final = bodies.schema(shapes.ContentBody)


@router.get(
    "/v1/transactional/{transactional}/contents",
    operation_id="listTransactionalVariants",
    summary="What a transactional message says, in each language",
    response_model=shapes.Contents,
    responses=errors(404),
)
async def listed(db: Db, inside: Reading, now: Now, transactional: Id) -> Response:
    """The default first; an empty list where every call brings its own."""
    return json_response(await contents.listed(db, inside.workspace_id, named(transactional, _WHAT), now))


@router.get(
    "/v1/transactional/{transactional}/contents/{content}",
    operation_id="getTransactionalContent",
    summary="Read one content of a transactional message",
    response_model=shapes.ContentAnswer,
    responses=errors(404),
)
async def one(db: Db, inside: Reading, *, now: Now, transactional: Id, content: ContentId) -> Response:
    """As it is written, with Liquid; the id of another message's content is refused with 400."""
    ref, content_id = named(transactional, _WHAT), number(content, "content")
    return json_response(await contents.one(db, inside.workspace_id, ref, content_id, now))


@router.put(
    "/v1/transactional/{transactional}/content/{content}",
    operation_id="updateTransactional",
    summary="Change one content of a transactional message",
    response_model=shapes.ContentAnswer,
    responses=errors(404, 413, 415),
    openapi_extra=_DESCRIBED,
)
async def change(
    request: Request,
    db: Db,
    inside: Writing,
    *,
    now: Now,
    parts: ProcessParts,
    transactional: Id,
    content: ContentId,
) -> Response:
    """Sends from now on say it; of a variant only the texts can be written."""
    ref, content_id = named(transactional, _WHAT), number(content, "content")
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    answer = await said_wrong(
        contents.change(db, inside.workspace_id, ref, body, content=content_id, real_now=now),
    )
    parts.notifier.send("tasks")
    return answer


@router.get(
    "/v1/transactional/{transactional}/language/{language}",
    operation_id="getTransactionalVariant",
    summary="What a transactional message says in a language",
    response_model=shapes.ContentInLanguage,
    responses=errors(404),
)
@router.get("/v1/transactional/{transactional}/language", include_in_schema=False)
async def in_language(db: Db, inside: Reading, *, now: Now, transactional: Id, language: str | None = None) -> Response:
    """A list of one; without a language the default. A language that it is not said in is refused with 400."""
    ref = named(transactional, _WHAT)
    return json_response(await contents.in_language(db, inside.workspace_id, ref, language or None, now))


@router.put(
    "/v1/transactional/{transactional}/language/{language}",
    operation_id="updateTransactionalVariant",
    summary="Change what a transactional message says in a language",
    response_model=shapes.ContentAnswer,
    responses=errors(404, 413, 415),
    openapi_extra=_DESCRIBED,
)
@router.put("/v1/transactional/{transactional}/language", include_in_schema=False)
async def change_language(
    request: Request,
    db: Db,
    inside: Writing,
    *,
    now: Now,
    parts: ProcessParts,
    transactional: Id,
    language: str | None = None,
) -> Response:
    """Of a variant only the texts can be written; without a language the default."""
    ref = named(transactional, _WHAT)
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    answer = await said_wrong(
        contents.change(db, inside.workspace_id, ref, body, language=language or None, real_now=now),
    )
    parts.notifier.send("tasks")
    return answer


__all__ = ["router"]
