"""A/B tests of messages: how their arms do, and the end of one by choosing the winner (ACT-17, ACT-18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from domain.ab_tests import ArmFigures, Comparison, Metric
from domain.blocks import Block, MessageBlock
from domain.blocks.message import Arm
from domain.definitions import CampaignDefinition, read_definition
from domain.errors import DomainError, NotFound
from services import campaigns, definitions
from services import definition_checks as checks
from services import definition_writes as writes
from services.private_urls import saved
from store import ab_tests as store
from store import definitions as definition_store
from store import workspaces
from store.ab_tests import ArmCounts
from store.database import Database
from store.definitions import DefinitionRow

Variant = Literal["a", "b"]
_OF_PEOPLE: Mapping[str, str] = {"opened": "human_opened", "clicked": "human_clicked"}
_TOLD_APART = frozenset({"email"})
"""Channels in which opens and clicks of machines are known as such."""
_NOBODY = (0, 0, 0, 0, 0, 0, 0, 0, 0)


async def figures(
    db: Database, workspace_id: int, ref: str | int, block_ref: str | int, *, human_only: bool = True
) -> dict[str, Any]:
    """Each metric of a running test with the chance of the variation; with a holdout only what both arms can do.

    Raises NotFound where there is no such campaign or block, or where the block has no test.
    """
    async with db.connection() as conn:
        row = await definition_store.get(conn, workspace_id, "campaign", ref)
        if row is None:
            raise NotFound("campaign", ref)
        key, block = _block(row, block_ref)
        if not isinstance(block, MessageBlock) or len(block.arms) == 1:
            raise NotFound("A/B test at block", block_ref)
        found = await store.counts(conn, workspace_id, row.definition_id, row.actions[key])
    known = {arm.variant: arm for arm in found}
    counted = [known.get(variant, ArmCounts(variant, *_NOBODY)) for variant in ("a", "b")]
    people = human_only and block.type in _TOLD_APART
    return {"metrics": [_shown(metric) for metric in _compared(block.arms, counted, people=people)]}


async def decide(
    db: Database, workspace_id: int, ref: str | int, block_ref: str | int, *, variant: Variant, real_now: datetime
) -> dict[str, Any]:
    """End a test: the block says what the winner says, as any edit would have it; a winning holdout takes it away.

    Answers with the campaign's status. Raises NotFound, DomainError `invalid_state` where the block has no test,
    InvalidInput where the campaign would not hold together.
    """
    async with db.transaction() as conn:
        found = await campaigns.find(conn, workspace_id, ref)
        key, block = _block(found.row, block_ref)
        if not isinstance(block, MessageBlock) or len(block.arms) == 1:
            raise DomainError("invalid_state", f"The block '{key}' has no A/B test.")
        document = decided(found.row.document, key, block, variant)
        checked = checks.check([("", document)], found.rows, sandbox=found.workspace.sandbox, private=saved)
        # Where the test was all there was, people go on passing through, and nothing happens to them.
        checked.errors = [problem for problem in checked.errors if problem.code != "empty_workflow"]
        checked.refuse()
        now = found.workspace.now(real_now)
        ((definition, row),) = checked.definitions
        change = await writes.plan(conn, workspace_id, definition, row)
        change = await writes.write(conn, found.workspace, change, source=None, waits="continue", now=now)
        await workspaces.bump_definitions(conn, workspace_id)
        assert change.row is not None, "what was written is stored"
        return await definitions.status(conn, change.row)


def decided(document: Mapping[str, Any], key: str, block: MessageBlock, variant: Variant) -> dict[str, Any]:
    """The campaign's document once a test is over."""
    workflow = dict(document["workflow"])
    blocks = dict(workflow["blocks"])
    arm = next(arm for arm in block.arms if arm.variant == variant)
    if arm.holdout:
        blocks = {other: _past(body, key, block.next) for other, body in blocks.items() if other != key}
        workflow = _past(workflow, key, block.next)
    else:
        kept = {name: value for name, value in blocks[key].items() if name not in ("ab_test", "holdout")}
        said = blocks[key]["ab_test"]["message"] if variant == "b" else blocks[key]["message"]
        blocks[key] = {**kept, "message": said, "sending_state": arm.sending_state}
    if workflow.get("start", "") is None:
        del workflow["start"]
    return {**document, "workflow": {**workflow, "blocks": blocks}}


def _past(body: Mapping[str, Any], key: str, after: str | None) -> dict[str, Any]:
    """The part of a workflow with its ways to a block leading to what follows it."""
    ways = {name: after for name in ("start", "next", "then", "else", "join") if body.get(name) == key}
    changed = {**body, **ways}
    if isinstance(body.get("paths"), list):
        changed["paths"] = [{**path, "next": after} if path.get("next") == key else path for path in body["paths"]]
    return changed


def _block(row: DefinitionRow, ref: str | int) -> tuple[str, Block]:
    """A block of a campaign with its key, by that or by its action id; raises NotFound."""
    campaign, _ = read_definition(row.document)
    blocks = campaign.workflow.blocks if isinstance(campaign, CampaignDefinition) else {}
    key = next((key for key in blocks if ref in (key, row.actions.get(key))), None)
    block = blocks.get(key) if key is not None else None
    if key is None or block is None:
        raise NotFound("block", ref)
    return key, block


def _compared(arms: Sequence[Arm], counted: Sequence[ArmCounts], *, people: bool) -> list[Comparison]:
    metrics: tuple[Metric, ...] = ("opened", "clicked", "converted")
    if any(arm.holdout for arm in arms):
        # Nobody opens what never left.
        metrics = ("converted",)
    reports = any(arm.arrived for arm in counted)
    compared = []
    for metric in metrics:
        name = _OF_PEOPLE.get(metric, metric) if people else metric
        original, variation = (ArmFigures(_total(arm, reports=reports), getattr(arm, name)) for arm in counted)
        compared.append(Comparison(metric, original, variation))
    return compared


def _total(arm: ArmCounts, *, reports: bool) -> int:
    """Those who got it: the delivered ones where the provider reports them, else the sent ones, and the holdouts."""
    return (arm.delivered if reports else arm.sent) + arm.trapped


def _shown(compared: Comparison) -> dict[str, Any]:
    return {
        "metric": compared.metric,
        "original": asdict(compared.original),
        "variation": asdict(compared.variation),
        "chance_to_beat_original": compared.chance,
        "verdict": compared.verdict,
    }


__all__ = ["Variant", "decide", "decided", "figures"]
