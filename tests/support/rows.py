"""Stored rows made up for tests of functions that read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain.definitions import read_definition
from store.definitions import DefinitionRow

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def definition_row(raw: dict[str, Any], number: int = 1) -> DefinitionRow:
    """A stored definition as it would be after applying this document."""
    definition, problems = read_definition(raw)
    assert definition is not None, problems
    return DefinitionRow(
        workspace_id=1,
        kind=definition.kind,
        definition_id=number,
        key=definition.key,
        name=definition.name or definition.key,
        document=definition.wire(),
        revision=1,
        version=1,
        state=definition.initial_state,
        source=None,
        created_at=THEN,
        updated_at=THEN,
    )
