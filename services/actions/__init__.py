"""The registry of what blocks may do to the world: a new action is its own file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.actions.base import Action, ActionContext, Done
from services.actions.segment_update import segment_update
from services.actions.update_person import update_person

ACTIONS: Final[Mapping[str, Action]] = {"update_person": update_person, "segment_update": segment_update}
"""Every action of this version by the word that `Act` names."""

__all__ = ["ACTIONS", "Action", "ActionContext", "Done"]
