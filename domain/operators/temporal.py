"""What the comparisons with instants share."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from domain.facts import Facts
from domain.lookups import Lookup
from domain.operators.base import Operator
from domain.operators.operands import Instant


class InstantOperator(Operator):
    """A comparison of a timestamp with one instant; a value that is no timestamp does not match (PPL-33)."""

    value: Instant

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """The lookup, if the instant is one."""
        return (self.value.lookup,) if self.value.lookup else ()

    @property
    def clock(self) -> bool:
        """Whether the instant moves with the clock."""
        return self.value.moves

    def bound(self, facts: Facts) -> Self | None:
        """Itself with the instant found; None where there is no timestamp."""
        instant = self.value.bound(facts)
        return None if instant is None else self.with_operand(instant)
