"""`device`: the devices that the person's app runs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import StrictBool

from domain.condition_keys import DEVICES, Keys
from domain.documents import Document
from domain.facts import DeviceFact, Facts
from domain.operators import Decision
from domain.subjects.base import Moment, Subject
from domain.subjects.joining import some_hold
from domain.wheres import Where


class _Body(Document):
    where: Where | None = None
    inverse: StrictBool = False


@dataclass(frozen=True)
class Device(Subject):
    """Has a device that fits the whole `where`; `inverse` is that no device does (PPL-38)."""

    root: ClassVar[str] = "device"

    where: Where | None = None
    inverse: bool = False

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The leaf of a body."""
        read = _Body.model_validate(body)
        return cls(read.where, read.inverse)

    def dump(self) -> Any:
        """The body without what is absent or default."""
        where = {} if self.where is None else {"where": self.where.dump()}
        return {**where, "inverse": True} if self.inverse else where

    def decide(self, facts: Facts, moment: Moment) -> Decision:
        """Whether one device satisfies everything asked."""
        matched, flip = some_hold(self._fitting(facts, moment))
        return matched != self.inverse, flip

    def _fitting(self, facts: Facts, moment: Moment) -> Iterator[Decision]:
        for device in facts.devices:
            yield (True, None) if self.where is None else self.where.decide(_record(device), facts, moment.unix)

    def look(self, facts: Facts, moment: Moment) -> tuple[Any, str]:
        """How many devices fit."""
        fitting = sum(matched for matched, _ in self._fitting(facts, moment))
        return fitting, f"{fitting} of {len(facts.devices)} devices fit"

    def keys(self) -> Keys:
        """Devices, the attributes that `where` looks up, and the clock."""
        attributes = frozenset[str]() if self.where is None else self.where.customer_attributes
        return Keys(attributes, clock=self.where is not None and self.where.clock, records=frozenset({DEVICES}))

    def wheres(self) -> Iterator[tuple[str, Where]]:
        """What is asked of a device."""
        if self.where is not None:
            yield "/where", self.where

    def describe(self) -> str:
        """The leaf in words."""
        words = f"has {'no' if self.inverse else 'a'} device"
        return words if self.where is None else f"{words} where {self.where.describe()}"


def _record(device: DeviceFact) -> Mapping[str, Any]:
    """What is known of every device counts before an attribute that happens to be called so."""
    known = {"platform": device.platform, "last_used": device.last_used, "last_status": device.last_status}
    return {**device.attributes, **known}


__all__ = ["Device"]
