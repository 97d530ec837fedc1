"""The paths of splits and cohorts that an edit takes away, with the blocks that go with them (ACT-38)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from domain.blocks import BranchBlock, MultiSplit, RandomCohort
from domain.definitions.campaign import CampaignDefinition
from domain.definitions.edits import WorkflowEdit
from domain.workflow_graph import Workflow


class RemovedPath(NamedTuple):
    """A path that is gone, of the block of that key, and those of its blocks that are nowhere any more."""

    block: str
    path: str
    blocks: tuple[str, ...]


def removed_paths(before: CampaignDefinition, after: CampaignDefinition, edit: WorkflowEdit) -> Iterator[RemovedPath]:
    """Every path of a split or a cohort that took blocks with it."""
    for key, branch in before.workflow.blocks.items():
        if not isinstance(branch, MultiSplit | RandomCohort):
            continue
        now = after.workflow.blocks.get(edit.renamed.get(key, key))
        left = {path.key for path in now.paths} if isinstance(now, MultiSplit | RandomCohort) else frozenset[str]()
        for path in branch.paths:
            gone = [name for name in _below(before.workflow, branch, path.next) if name in edit.removed]
            if path.key not in left and gone:
                yield RemovedPath(key, path.key, tuple(gone))


def _below(workflow: Workflow, branch: BranchBlock, start: str | None) -> list[str]:
    """The blocks of a path, from its first on, up to the branch's join."""
    found: list[str] = []
    coming = [start]
    while coming:
        key = coming.pop()
        if key is None or key == branch.join_key or key in found:
            continue
        found.append(key)
        block = workflow.blocks[key]
        coming += [*(way.next for way in block.ways()), block.join_key]
    return found


__all__ = ["RemovedPath", "removed_paths"]
