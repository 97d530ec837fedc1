"""What takes the database or another process to say against workflows: scripts, paths with people inside (ACT-22, ACT-38)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

from domain.definitions import BroadcastDefinition, CampaignDefinition, campaign_parts, read_definition
from domain.definitions.edits import workflow_edit
from domain.definitions.removed_paths import removed_paths
from domain.errors import Problem
from domain.problems import below, pointer_of
from domain.uses import Template
from rendering.javascript import faults_of
from services.definition_checks import Checked
from store import definitions as store
from store.database import Connection
from store.definitions import DefinitionRow


async def check(conn: Connection, workspace_id: int, checked: Checked) -> None:
    """Add what is wrong with campaigns and broadcasts beyond what their documents say."""
    for item in checked.incoming:
        definition = item.definition
        if not isinstance(definition, CampaignDefinition | BroadcastDefinition):
            continue
        scripts = list(campaign_parts.scripts(definition))
        faults = await faults_of({script.source for script in scripts}) if scripts else {}
        found = list(_faults(scripts, faults))
        row = item.row
        if isinstance(definition, CampaignDefinition) and row is not None and row.first_started is not None:
            found += [problem async for problem in _left_behind(conn, workspace_id, definition, row)]
        checked.errors += below(found, item.pointer)


def _faults(scripts: list[Template], faults: Mapping[str, str | None]) -> Iterator[Problem]:
    for script in scripts:
        fault = faults[script.source]
        if fault is not None:
            yield Problem(code="javascript_syntax", pointer=script.pointer, message=fault)


async def _left_behind(
    conn: Connection, workspace_id: int, after: CampaignDefinition, row: DefinitionRow
) -> AsyncIterator[Problem]:
    before, _ = read_definition(row.document)
    if not isinstance(before, CampaignDefinition):
        return
    for gone in removed_paths(before, after, workflow_edit(before, after, row.actions)):
        inside = await store.standing_at(conn, workspace_id, row.definition_id, gone.blocks)
        if inside:
            here = gone.block in after.workflow.blocks
            at = pointer_of(("workflow", "blocks", gone.block, "paths") if here else ("workflow", "blocks"))
            message = f"{inside} are inside the path '{gone.path}' of '{gone.block}': it stays until it is empty."
            yield Problem(code="in_use", pointer=at, message=message)


__all__ = ["check"]
