"""What changed between two JSON documents, field by field, in the manner of JSON Patch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.problems import pointer_of, split_pointer
from domain.values import same

MASK = "********"


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
        for secret in secrets:
            if secret == self.path or secret.startswith(f"{self.path}/"):
                inner = split_pointer(secret.removeprefix(self.path))
                before, after = _hidden(before, inner), _hidden(after, inner)
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


def _hidden(value: Any, path: Sequence[str]) -> Any:
    if not path:
        return MASK if isinstance(value, str) else value
    if isinstance(value, dict) and path[0] in value:
        return {**value, path[0]: _hidden(value[path[0]], path[1:])}
    return value
