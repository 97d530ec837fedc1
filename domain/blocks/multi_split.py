"""Multi-split branch: the first of several paths whose conditions hold, else that of all others (ACT-13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from domain.blocks.base import (
    BranchBlock,
    PathBase,
    Placed,
    Planned,
    Visit,
    Way,
    paths_counted,
    pointer_to,
    same_keys,
    take,
)
from domain.conditions import Condition, evaluate
from domain.documents import Key
from domain.errors import Problem

OTHERS: Final = "else"


class SplitPath(PathBase):
    """One path; without conditions nobody takes it."""

    conditions: Condition | None = None


class MultiSplit(BranchBlock):
    """A branch decided once, on arrival; all its conditions look at one kind of data."""

    nullable: ClassVar[frozenset[str]] = frozenset({"else", "join"})

    type: Literal["multi_split"]
    paths: Annotated[tuple[SplitPath, ...], paths_counted(1, 20)]
    else_: Key | None = Field(default=None, alias="else")

    def placed_conditions(self) -> list[Placed]:
        """The conditions of all paths."""
        listed = enumerate(self.paths)
        return [
            Placed(("paths", i, "conditions"), "branch", p.conditions) for i, p in listed if p.conditions is not None
        ]

    def ways(self) -> list[Way]:
        """The paths in listed order, then `else`."""
        paths = [Way(path.next, ("paths", i, "next")) for i, path in enumerate(self.paths)]
        return [*paths, Way(self.else_, ("else",))]

    def check(self, pointer: str, _trigger_type: str | None, /) -> Iterator[Problem]:
        """Path keys are unique; everything tested has one root."""
        yield from same_keys(self.paths, pointer)
        roots: list[str] = []
        for placed in self.placed_conditions():
            roots += [leaf.body.root for leaf in placed.condition.leaves]
            others = sorted(set(roots) - {roots[0]})
            if others:
                message = f"The paths of a split all look at the same kind of data: `{roots[0]}` or `{others[0]}`."
                yield Problem(code="mixed_data_types", pointer=pointer_to(pointer, *placed.field), message=message)
                return

    def decide(self, visit: Visit, /) -> Planned:
        """Take the first path that holds; its index is its position, that of all others comes after the last."""
        for index, path in enumerate(self.paths):
            if path.conditions is None:
                continue
            verdict = evaluate(path.conditions, visit.facts, visit.now)
            if verdict.matched:
                return take(path.next, index, path.key, verdict.reason)
        return take(self.else_, len(self.paths), OTHERS, "No path's conditions hold.")
