"""What every trigger is: what it asks, what it refers to, and which settings of a campaign fit it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

from domain.condition_rules import ConditionPlace, WherePlace
from domain.conditions import Condition
from domain.documents import Document
from domain.uses import Use
from domain.wheres import Where

Mode = Literal["once", "every", "interval", "once_per"]


class PlacedCondition(NamedTuple):
    """One condition of a document: where it stands and what kind of place that is."""

    pointer: str
    condition: Condition
    place: ConditionPlace


class PlacedWhere(NamedTuple):
    """Comparisons on a record: where they stand and what kind of place that is."""

    pointer: str
    where: Where
    place: WherePlace


class TriggerBase(Document):
    """One way to begin journeys (authoring contract, section 4.1).

    `single` triggers have one journey under way per person. `modes` are the frequencies, the default first; none where
    the trigger itself says how often. `filtered`: the campaign may have filters. `takes_current`: people who match already
    may be taken in when it starts. `rechecked`: the exit rule `filters` means the trigger itself.
    """

    single: ClassVar[bool] = False
    modes: ClassVar[tuple[Mode, ...]] = ()
    filtered: ClassVar[bool] = True
    takes_current: ClassVar[bool] = False
    rechecked: ClassVar[bool] = False
    has_person: ClassVar[bool] = True

    type: str

    @classmethod
    def type_name(cls) -> str:
        """The word of the `type` field."""
        (word,) = cls.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
        return str(word)

    def placed(self) -> Iterator[PlacedCondition]:
        """The conditions on people; pointers count from the trigger."""
        yield from ()

    def wheres(self) -> Iterator[PlacedWhere]:
        """The comparisons on what triggers; pointers count from the trigger."""
        yield from ()

    def uses(self) -> Iterator[Use]:
        """References besides those of conditions; pointers count from the trigger."""
        yield from ()


__all__ = ["Mode", "PlacedCondition", "PlacedWhere", "TriggerBase"]
