"""What messages come from, found by what callers name it: a campaign, a broadcast, a block, a transactional message."""

from __future__ import annotations

from collections.abc import Mapping

from domain.definitions.transactional import UNCATEGORIZED, TransactionalDefinition
from domain.errors import NotFound
from ingest.catalog import Campaign, Catalog

TRANSACTIONAL = "transactional"


def automation_named(automations: Mapping[int, Campaign], kind: str, ref: str | int) -> Campaign:
    """The campaign or the broadcast with this key or id; raises NotFound."""
    for automation in automations.values():
        if ref in (automation.id, automation.key):
            return automation
    raise NotFound(kind, ref)


def action_named(automation: Campaign, ref: str | int) -> int:
    """The number of a block by its key or number, also of one that the workflow has lost; raises NotFound."""
    number = automation.actions.get(ref) if isinstance(ref, str) else ref
    if number is None or number not in automation.actions.values():
        raise NotFound("action", ref)
    return number


def transactional_id_of(catalog: Catalog, ref: str | int) -> int:
    """The id of a transactional message by its key or id; that of sends without one is always there. Raises NotFound."""
    if ref == UNCATEGORIZED:
        return UNCATEGORIZED
    found = catalog.find(TRANSACTIONAL, ref)
    if found is None or not isinstance(found.definition, TransactionalDefinition):
        raise NotFound("transactional message", ref)
    return found.id


__all__ = ["TRANSACTIONAL", "action_named", "automation_named", "transactional_id_of"]
