"""Form fields with bracket keys as the nested value they stand for: `data[price]=2` is `{"data": {"price": "2"}}`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from domain.errors import DomainError
from domain.values import MAX_NESTING

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The nested form of flat fields; `a[]` appends to a list, of two equal keys the later wins.

    Raises DomainError `invalid_form` where one field contradicts another.
    """
    root: dict[str, Any] = {}
    for key, value in pairs:
        found = _KEY.fullmatch(key)
        path = [found.group(1), *_PART.findall(found.group(2))] if found else [key]
        if len(path) > MAX_NESTING:
            raise DomainError("invalid_form", f"The form is nested more than {MAX_NESTING} levels deep.")
        _put(root, path, value, key)
    return root


def _put(root: dict[str, Any], path: list[str], value: str, key: str) -> None:
    here: Any = root
    for step, following in zip(path, [*path[1:], None], strict=True):
        fresh: Any = value if following is None else [] if following == "" else {}
        if isinstance(here, list) and step == "":
            here.append(fresh)
            here = fresh
        elif isinstance(here, dict) and step != "":
            if following is None or step not in here:
                here[step] = fresh
            here = here[step]
        else:
            raise DomainError("invalid_form", f"The field '{key[:100]}' contradicts another one.")


__all__ = ["nested"]
