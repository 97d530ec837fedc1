"""Attributes of people as blocks write them: what is set and removed, within the limit of a value (ACT-24, ACT-26)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from services.actions.base import CannotAct

LONGEST_VALUE: Final = 100_000


def changes_of(computed: Mapping[tuple[str | int, ...], Any], remove: Iterable[str] | None) -> dict[str, Any]:
    """What is written, null where an attribute goes; raises CannotAct where a value is too long."""
    values = {str(path[1]): value for path, value in computed.items() if path[0] == "set"}
    values |= dict.fromkeys(remove or ())
    for name, value in values.items():
        if len(orjson.dumps(value, default=str)) > LONGEST_VALUE:
            raise CannotAct(f"The value of '{name}' is longer than {LONGEST_VALUE} bytes.")
    return values


__all__ = ["LONGEST_VALUE", "changes_of"]
