"""Stored documents in the order in which people write them: the database keeps fields in an order of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.definitions import AutomationDefinition, read_definition
from domain.workflow_walk import walk


def in_order(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same document, full or compact, with its fields as its kind lists them; as it is, where it cannot be read any more."""
    definition = read_definition(document)[0]
    if definition is None:
        return dict(document)
    pattern = definition.wire()
    if isinstance(definition, AutomationDefinition):
        # Who comes in stands before what they meet, and blocks as people come to them.
        workflow = pattern.pop("workflow")
        blocks = workflow["blocks"]
        pattern["workflow"] = {**workflow, "blocks": {at.key: blocks[at.key] for at in walk(definition.workflow)}}
    found: dict[str, Any] = _like(document, pattern)
    return found


def _like(value: Any, pattern: Any) -> Any:
    """A value whose objects have their fields in the order of another one, those that it lacks last."""
    if isinstance(value, Mapping):
        known = pattern if isinstance(pattern, Mapping) else {}
        names = [*(name for name in known if name in value), *(name for name in value if name not in known)]
        return {name: _like(value[name], known.get(name)) for name in names}
    if isinstance(value, list):
        others = pattern if isinstance(pattern, list) and len(pattern) == len(value) else [None] * len(value)
        return [_like(item, other) for item, other in zip(value, others, strict=True)]
    return value


__all__ = ["in_order"]
