"""Copying blocks into a campaign (ACT-39)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api import bodies
from api.deps import Db, Now, ProcessParts, Writing
from api.errors import json_response
from api.management import schemas
from api.management.answers import errors, located
from api.management.definitions import DryRun
from api.paths import reference
from domain.block_copies import BlockCopy
from domain.errors import DomainError
from services import block_copies

router = APIRouter(tags=["Lifecycle"])


class BlocksCopied(schemas.PutResult):
    """What was saved, with the keys of the copies."""

    copied: dict[str, str] = Field(description="The key of each copy by that of its original.")


@router.post(
    "/v1/campaigns/{campaign}/copy_blocks",
    operation_id="copyBlocks",
    summary="Copy blocks of this or another campaign into a campaign",
    response_model=BlocksCopied,
    responses=errors(404, 409, 413, 422),
    openapi_extra=bodies.schema(BlockCopy),
)
async def copy_blocks(
    request: Request,
    db: Db,
    inside: Writing,
    *,
    now: Now,
    parts: ProcessParts,
    campaign: str,
    dry_run: DryRun = False,
) -> Response:
    """Saves the campaign as putting its document does. A branch brings along what stands in its paths.

    From another workspace only with a service-account token, since an App key belongs to one. Copies are drafts where the
    campaign is under way. `copied` gives the new keys; `warnings` what was reset, left out, or fits the trigger no more.
    """
    asked = block_copies.read(await bodies.json_value(request, bodies.MANAGEMENT_LIMIT))
    other = asked.from_.workspace
    if inside.caller.workspace_id is not None and other not in (None, inside.workspace_id):
        raise DomainError("forbidden_scope", "Another workspace takes a service-account token.", "/from/workspace")
    answer = await block_copies.copy_blocks(
        db, inside.workspace_id, reference(campaign), asked, dry_run=dry_run, now=now
    )
    parts.notifier.send("tasks")
    return json_response(located(answer, parts.base_url))


__all__ = ["router"]
