"""The registry of what blocks may do to the world: a new action is its own file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.actions.base import Action, ActionContext, Done
from services.actions.batch_update import batch_update
from services.actions.query_collection import query_collection
from services.actions.segment_update import segment_update
from services.actions.send_event import send_event
from services.actions.set_journey_attributes import set_journey_attributes
from services.actions.update_person import update_person

ACTIONS: Final[Mapping[str, Action]] = {
    "update_person": update_person,
    "segment_update": segment_update,
    "send_event": send_event,
    "set_journey_attributes": set_journey_attributes,
    "batch_update": batch_update,
    "query_collection": query_collection,
}
"""Every action of this version by the word that `Act` names."""

__all__ = ["ACTIONS", "Action", "ActionContext", "Done"]
