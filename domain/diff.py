"""What changed between two JSON documents, field by field, in the manner of JSON Patch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.problems import pointer_of, split_pointer
from domain.values import same

MASK = "********"
ANY = "*"
"""Stands in the pointers of secrets for every member of an object."""
USERINFO = "@"
"""Ends the pointers of secrets that are what stands before the host of an address, and no more of it."""
_USERINFO = re.compile(r"(?<=//)[^/?#]*(?=@)")


class DiffEntry(BaseModel):
    """One difference at a JSON Pointer; `before` and `after` hold what was and what is there, where there is something."""

    model_config = ConfigDict(frozen=True)

    op: Literal["add", "remove", "replace"]
    path: str
    before: Any = None
    after: Any = None

    def wire(self) -> dict[str, Any]:
        """The entry as it is answered."""
        sides = {"add": ("after",), "remove": ("before",), "replace": ("before", "after")}[self.op]
        return {"op": self.op, "path": self.path, **{side: getattr(self, side) for side in sides}}

    def masked(self, secrets: Sequence[str]) -> DiffEntry:
        """The same entry with texts at the pointers of `secrets` hidden."""
        before, after = self.before, self.after
        here = split_pointer(self.path)
        for secret in secrets:
            hide = hider(secret)
            whole = split_pointer(secret.removesuffix(USERINFO))
            outer, inner = whole[: len(here)], whole[len(here) :]
            if len(outer) == len(here) and all(step in (ANY, name) for step, name in zip(outer, here, strict=True)):
                before, after = _hidden(before, inner, hide), _hidden(after, inner, hide)
        return self.model_copy(update={"before": before, "after": after})


def diff(before: Any, after: Any) -> list[DiffEntry]:
    """Every difference in document order; numbers are compared by value, lists position by position."""
    return list(_differences(before, after, ()))


def _differences(before: Any, after: Any, path: tuple[str | int, ...]) -> Iterator[DiffEntry]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys: list[str] = list(dict.fromkeys([*before, *after]))
        pairs: list[tuple[str | int, bool, bool]] = [(key, key in before, key in after) for key in keys]
    elif isinstance(before, list) and isinstance(after, list):
        length = max(len(before), len(after))
        pairs = [(index, index < len(before), index < len(after)) for index in range(length)]
    else:
        if not same(before, after):
            yield DiffEntry(op="replace", path=pointer_of(path), before=before, after=after)
        return
    for step, was, stays in pairs:
        if was and stays:
            yield from _differences(before[step], after[step], (*path, step))
        elif was:
            yield DiffEntry(op="remove", path=pointer_of((*path, step)), before=before[step])
        else:
            yield DiffEntry(op="add", path=pointer_of((*path, step)), after=after[step])


def hider(secret: str) -> Callable[[Any], Any]:
    """What hides the value at a secret's pointer; what is no text is no secret."""
    if secret.endswith(USERINFO):
        return lambda value: _USERINFO.sub(MASK, value, count=1) if isinstance(value, str) else value
    return lambda value: MASK if isinstance(value, str) else value


def userinfo_of(value: Any) -> str | None:
    """What stands before the host of an address, None where nothing does."""
    found = _USERINFO.search(value) if isinstance(value, str) else None
    return None if found is None else found[0]


def _hidden(value: Any, path: Sequence[str], hide: Callable[[Any], Any]) -> Any:
    if not path:
        return hide(value)
    if isinstance(value, dict) and path[0] == ANY:
        return {name: _hidden(item, path[1:], hide) for name, item in value.items()}
    if isinstance(value, dict) and path[0] in value:
        return {**value, path[0]: _hidden(value[path[0]], path[1:], hide)}
    return value
