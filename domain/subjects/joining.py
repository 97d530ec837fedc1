"""Verdicts on several records as one: whether some of them fit, or all, and until when by the clock alone."""

from __future__ import annotations

from collections.abc import Iterable

from domain.operators import Decision, earliest


def some_hold(decisions: Iterable[Decision]) -> Decision:
    """Whether at least one holds; as long as one does, none of the others matters."""
    return _join(decisions, decisive=True)


def all_hold(decisions: Iterable[Decision]) -> Decision:
    """Whether every one holds; as long as one does not, none of the others matters."""
    return _join(decisions, decisive=False)


def _join(decisions: Iterable[Decision], *, decisive: bool) -> Decision:
    held: int | None = None
    settled: int | None = None
    for matched, flip in decisions:
        if matched != decisive:
            held = earliest(held, flip)
        elif flip is None:
            return decisive, None
        elif settled is None or flip > settled:
            settled = flip
    return (not decisive, held) if settled is None else (decisive, settled)


__all__ = ["all_hold", "some_hold"]
