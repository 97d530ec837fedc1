"""What conditions refer to, and what is wrong with it where it is there (PPL-37, PPL-39, PPL-40)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.conditions import Condition, references
from domain.definitions.base import Surroundings, Use
from domain.errors import Problem


def uses_of(condition: Condition, pointer: str, campaign: str | None = None, kind: str = "campaign") -> Iterator[Use]:
    """The references of a condition that stands at `pointer`; `campaign` and `kind` are key and kind of whose workflow it stands in."""
    for named in references(condition):
        ref = campaign if named.ref is None else named.ref
        if ref is not None:
            yield Use(kind if named.ref is None else named.kind, ref, pointer + named.at, named.block)


def check_uses(uses: Iterable[Use], around: Surroundings) -> Iterator[Problem]:
    """Blocks that the campaign does not have, and object types that are not enabled; what is not there at all is not ours."""
    for use in uses:
        if use.block is not None:
            blocks = around.blocks_of(use.ref, use.kind)
            if blocks is not None and use.block not in blocks and use.block not in blocks.values():
                message = f"The {use.kind} {use.ref!r} has no block {use.block!r}."
                at = use.pointer.rpartition("/")[0]
                yield Problem(code="unknown_block", pointer=f"{at}/block", message=message)
        if use.kind == "object_type" and around.is_disabled_type(use.ref):
            message = f"The object type {use.ref!r} is not enabled: it takes data, but conditions cannot use it."
            yield Problem(code="object_type_disabled", pointer=use.pointer, message=message)


__all__ = ["check_uses", "uses_of"]
