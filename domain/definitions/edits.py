"""What an edit of a campaign means for the numbers of its blocks and for people standing in them (ACT-38, CMP-25)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from domain.blocks.base import ActionBlock
from domain.definitions.automation import AutomationDefinition
from domain.definitions.campaign import CampaignDefinition
from domain.journeys import FrequencyInterval, FrequencyOnce
from domain.workflow_graph import successor_if_deleted


@dataclass(frozen=True)
class WorkflowEdit:
    """The difference of two workflows, seen from the blocks.

    `kept` maps keys to the action ids they have, `fresh` lists keys that need one, `renamed` maps old keys to new ones,
    `removed` maps a key that is gone to the key where its people go on (None: the end of the journey), `changed` lists
    the keys, as they are called now, at which waiting has to be reckoned anew.
    """

    kept: Mapping[str, int] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str | None] = field(default_factory=dict)
    changed: tuple[str, ...] = ()

    @property
    def touched(self) -> list[str]:
        """The keys, as journeys know them before the edit, whose people have to be looked at."""
        old_names = {new: old for old, new in self.renamed.items()}
        return sorted({old_names.get(key, key) for key in self.changed} | set(self.removed))

    @property
    def to_replan(self) -> list[str]:
        """The keys, as journeys know them once renamed blocks have taken their people along, to look at."""
        return sorted(set(self.changed) | set(self.removed))

    def successors(self, recorded: Mapping[str, str | None]) -> dict[str, str | None]:
        """Where people of every block that ever vanished go on; `recorded` is what was known before this edit."""
        here = set(self.kept) | set(self.fresh)
        return {key: to for key, to in {**recorded, **self.removed, **self.renamed}.items() if key not in here}


def workflow_edit(
    before: AutomationDefinition | None, after: AutomationDefinition, actions: Mapping[str, int]
) -> WorkflowEdit:
    """What happens to blocks between two documents; `actions` are the action ids given out so far, by block key."""
    blocks = after.workflow.blocks
    renamed = {
        block.renamed_from: key
        for key, block in blocks.items()
        if block.renamed_from is not None
        and block.renamed_from in actions
        and block.renamed_from not in blocks
        and key not in actions
    }
    came_from = {new: old for old, new in renamed.items()}
    kept = {key: actions[came_from.get(key, key)] for key in blocks if came_from.get(key, key) in actions}
    if before is None:
        return WorkflowEdit(kept=kept, fresh=tuple(key for key in blocks if key not in kept))
    old_blocks = before.workflow.blocks
    removed = {
        key: successor_if_deleted(before.workflow, key)
        for key in old_blocks
        if key not in blocks and key not in renamed
    }
    changed = tuple(
        key
        for key, block in blocks.items()
        if (old := old_blocks.get(came_from.get(key, key))) is not None
        and old.definition_hash() != block.definition_hash()
    )
    return WorkflowEdit(
        kept=kept,
        fresh=tuple(key for key in blocks if key not in kept),
        renamed=renamed,
        removed=removed,
        changed=changed,
    )


def raises_version(before: AutomationDefinition, after: AutomationDefinition) -> bool:
    """Whether the vendor's narrow version counter grows: for name, trigger or goal only (CMP-01)."""
    return any(getattr(before, part, None) != getattr(after, part, None) for part in ("name", "trigger", "goal"))


def moves_entries(before: CampaignDefinition, after: CampaignDefinition) -> bool:
    """Whether everybody is looked at anew for when they enter: the trigger differs, or checks in intervals do (CMP-24)."""
    return before.trigger != after.trigger or _interval(before) != _interval(after)


def interval_since(
    before: CampaignDefinition, after: CampaignDefinition, known: datetime | None, now: datetime
) -> datetime | None:
    """Since when people of a campaign that began once are looked at in intervals, None where that is not so.

    Those who had been in it until then have to come to match anew (CMP-24).
    """
    if _interval(after) is None:
        return None
    if _interval(before) is not None:
        return known
    return now if isinstance(before.often, FrequencyOnce) else None


def _interval(campaign: CampaignDefinition) -> FrequencyInterval | None:
    return campaign.often if isinstance(campaign.often, FrequencyInterval) else None


def changes_goal(before: AutomationDefinition, after: AutomationDefinition) -> bool:
    """Whether the goal is another, its window apart: whoever has reached it by then has not met it (CMP-26)."""
    goals = (before.goal, after.goal)
    old, new = (g and (g.event, g.where, g.enters_segment, g.leaves_segment) for g in goals)
    return old != new


_NOT_CONTENT: Final[dict[str, Any]] = {
    **dict.fromkeys(("name", "note", "renamed_from", "next", "conditions", "sending_state"), True),
    "ab_test": {"percent": True, "sending_state": True},
}


def content_edits(before: AutomationDefinition, after: AutomationDefinition, edit: WorkflowEdit) -> list[int]:
    """The action ids of blocks that say or do something else than before, so that their drafts do, too (CMP-28)."""
    came_from = {new: old for old, new in edit.renamed.items()}
    found = []
    for key, block in after.workflow.blocks.items():
        old = before.workflow.blocks.get(came_from.get(key, key))
        if not isinstance(block, ActionBlock) or not isinstance(old, ActionBlock) or key not in edit.kept:
            continue
        contents = [one.model_dump(mode="json", exclude=_NOT_CONTENT) for one in (old, block)]
        if contents[0] != contents[1]:
            found.append(edit.kept[key])
    return found
