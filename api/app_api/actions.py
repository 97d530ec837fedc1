"""The messages and webhooks of campaigns and broadcasts, read and written one by one (APP-05, APP-06)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from api import bodies
from api.app_api import content_shapes as shapes
from api.app_api.references import named
from api.deps import Db, Now, ProcessParts, Reading, Writing
from api.errors import json_response, management
from api.management.answers import errors
from api.management.parameters import Start
from domain.errors import DomainError, InvalidInput
from services import contents_actions as contents
from services.contents_actions import Kind

router = APIRouter(tags=["Messages of campaigns and broadcasts"])

KINDS: Final[tuple[Kind, ...]] = ("campaign", "broadcast")
Id = Annotated[str, Path(description="The id, or the key.")]
ActionId = Annotated[str, Path(description="The action's id.")]
LANGUAGE: Final = "/language/{language}"
_DESCRIBED: Final = bodies.schema(shapes.ActionBody)


async def said_wrong(answering: Awaitable[dict[str, Any]]) -> Response:
    """The answer; what is wrong with the fields of a message is answered with 400 here, as the vendor does."""
    try:
        return json_response(await answering)
    except InvalidInput as refusal:
        return management(refusal.problems, 400)


def number(text: str, what: str) -> int:
    """The id in a path; raises `invalid_parameter` for what is none."""
    if text.isascii() and text.isdecimal() and len(text) <= 10:
        return int(text)
    raise DomainError("invalid_parameter", f"This is no {what} id.")


@router.get(
    "/v1/campaigns/{campaign}/actions",
    operation_id="listCampaignActions",
    summary="List the messages and webhooks of a campaign",
    response_model=shapes.ActionPage,
    responses=errors(404),
)
async def campaign_actions(db: Db, inside: Reading, campaign: Id, start: Start = None) -> Response:
    """Ten at a time, by id."""
    return json_response(await contents.page(db, inside.workspace_id, named(campaign, "campaign id"), start=start))


@router.get(
    "/v1/broadcasts/{broadcast}/actions",
    operation_id="listBroadcastActions",
    summary="List the messages and webhooks of a broadcast",
    response_model=shapes.Actions,
    responses=errors(404),
)
async def broadcast_actions(db: Db, inside: Reading, broadcast: Id) -> Response:
    """All of them, by id."""
    return json_response(await contents.listed(db, inside.workspace_id, named(broadcast, "broadcast id")))


def _reads(kind: Kind) -> Callable[..., Awaitable[Response]]:
    async def read(db: Db, inside: Reading, automation: Id, action: ActionId, language: str | None = None) -> Response:
        """As it is written, with Liquid; of the default, or of the language in the path."""
        ref, action_id = named(automation, f"{kind} id"), number(action, "action")
        return json_response(
            await contents.one(db, inside.workspace_id, kind, ref, action_id, language=language or None)
        )

    return read


def _writes(kind: Kind) -> Callable[..., Awaitable[Response]]:
    async def write(
        request: Request,
        db: Db,
        inside: Writing,
        *,
        now: Now,
        parts: ProcessParts,
        automation: Id,
        action: ActionId,
        language: str | None = None,
    ) -> Response:
        """An edit of the document like any other: drafts follow it, and what is wrong is refused. Of a variant only its texts."""
        ref, action_id = named(automation, f"{kind} id"), number(action, "action")
        body = await bodies.json_value(request, bodies.MANAGEMENT_LIMIT)
        changing = contents.change(
            db, inside.workspace_id, kind, ref, action_id, body=body, language=language or None, real_now=now
        )
        answer = await said_wrong(changing)
        parts.notifier.send("tasks")
        return answer

    return write


def _add(kind: Kind, tail: str, *, shown: bool) -> None:
    whose, of = kind.capitalize(), " in a language" if tail else ""
    path = f"/v1/{kind}s/{{automation}}/actions/{{action}}{tail}"
    name = f"{whose}Action{'Translation' if tail else ''}{'' if shown else 'Default'}"
    options: dict[str, Any] = {"response_model": shapes.ActionAnswer, "include_in_schema": shown}
    router.add_api_route(
        path,
        _reads(kind),
        methods=["GET"],
        operation_id=f"get{name}",
        summary=f"Read an action of a {kind}{of}",
        responses=errors(404),
        **options,
    )
    router.add_api_route(
        path,
        _writes(kind),
        methods=["PUT"],
        operation_id=f"update{name}",
        summary=f"Change an action of a {kind}{of}",
        responses=errors(404, 409, 413, 415),
        openapi_extra=_DESCRIBED,
        **options,
    )


for _kind in KINDS:
    _add(_kind, "", shown=True)
    _add(_kind, LANGUAGE, shown=True)
    # An empty language is the default, and slashes at the end are not looked at.
    _add(_kind, "/language", shown=False)

__all__ = ["Id", "number", "router", "said_wrong"]
