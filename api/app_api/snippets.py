"""Snippets: values that templates name (APP-16)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api import app_errors, bodies
from api.deps import Db, Now, Reading, Writing
from api.errors import json_response
from api.management.answers import errors
from api.management.schemas import Answer
from domain.errors import DomainError
from services import snippets
from services.definitions import wire_problem

router = APIRouter(tags=["Snippets"])

IN_USE = "unable to delete snippet in use"


class Snippet(Answer):
    """A snippet, with the key of its definition."""

    key: str
    name: str
    value: str = Field(description="As templates print it: data as JSON text.")
    updated_at: int


class SnippetAnswer(Answer):
    """One snippet."""

    snippet: Snippet


class Snippets(Answer):
    """Every snippet, oldest first."""

    snippets: list[Snippet]


class SnippetBody(BaseModel):
    """A name, which stays, and a value."""

    name: str = Field(max_length=150)
    value: str | dict[str, Any] | list[Any] = Field(
        description="Text that may hold Liquid, or data; at most 16,000 characters."
    )


@router.get(
    "/v1/snippets",
    operation_id="listSnippets",
    summary="List snippets",
    response_model=Snippets,
    responses=errors(),
)
async def listed(db: Db, inside: Reading) -> Response:
    """All of them, oldest first."""
    return json_response(await snippets.list_all(db, inside.workspace_id))


@router.post(
    "/v1/snippets",
    operation_id="createSnippet",
    summary="Create a snippet",
    response_model=SnippetAnswer,
    responses=errors(413, 415, 422),
    openapi_extra=bodies.schema(SnippetBody),
)
async def create(request: Request, db: Db, inside: Writing, *, now: Now) -> Response:
    """Its Liquid is checked; a snippet cannot read snippets. A name that is taken is refused."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await snippets.create(db, inside.workspace_id, body, now))


@router.put(
    "/v1/snippets",
    operation_id="updateSnippets",
    summary="Change a snippet, or create it",
    response_model=SnippetAnswer,
    responses=errors(413, 415, 422),
    openapi_extra=bodies.schema(SnippetBody),
)
async def put(request: Request, db: Db, inside: Writing, *, now: Now) -> Response:
    """The one of that name gets the value: whatever is rendered from now on says it."""
    body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
    return json_response(await snippets.put(db, inside.workspace_id, body, now))


@router.delete(
    "/v1/snippets/{name}",
    operation_id="deleteSnippet",
    summary="Delete a snippet",
    status_code=204,
    responses=errors(404),
)
async def delete(db: Db, inside: Writing, *, now: Now, name: str) -> Response:
    """Refused with 400 while a template names it; `referents` says which."""
    try:
        await snippets.delete(db, inside.workspace_id, name, now)
    except DomainError as refusal:
        if refusal.code != "in_use":
            raise
        problem = {**wire_problem(refusal.problems[0]), "message": IN_USE}
        return json_response(app_errors.in_both_words([problem], 400), 400)
    return Response(status_code=204)


__all__ = ["router"]
