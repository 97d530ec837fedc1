"""Random cohort branch: people spread over paths by chance, each by themselves or all of one object together (ACT-14, ACT-15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from domain.blocks.base import BranchBlock, PathBase, Planned, Visit, Way, paths_counted, same_keys, take
from domain.documents import Document, Reference, Refusal, refused
from domain.effects import Assign
from domain.errors import Problem
from domain.values import stable_fraction

WHOLE: Final = 10_000
"""A hundred percent, in hundredths of one."""


def _to_two_decimals(percent: float) -> float:
    if abs(percent * 100 - round(percent * 100)) > 1e-6:
        raise refused(Refusal("range", "A share has at most two decimals.", (), percent))
    return percent


class CohortPath(PathBase):
    """One path and its share; nobody is drawn for a share of nothing."""

    percent: Annotated[float, Field(ge=0, le=100, strict=True), AfterValidator(_to_two_decimals)]

    @property
    def share(self) -> int:
        """The share in hundredths of a percent."""
        return round(self.percent * 100)


class ObjectCohort(Document):
    """Who is related to the same object of a type goes the same way."""

    object_type: Reference


def _read_cohort(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str):
        if value == "person":
            return value
        raise refused(Refusal("enum", "A cohort is by 'person' or by an object type.", (), value))
    return value if isinstance(value, ObjectCohort) else ObjectCohort.model_validate(value)


class RandomCohort(BranchBlock):
    """A branch drawn once for each journey, by the shares as they are on arrival."""

    nullable: ClassVar[frozenset[str]] = frozenset({"join"})

    type: Literal["random_cohort"]
    cohort_by: Annotated[Literal["person"] | ObjectCohort, WrapValidator(_read_cohort)] = "person"
    paths: Annotated[tuple[CohortPath, ...], paths_counted(2, 20)]

    @model_validator(mode="after")
    def _whole(self) -> RandomCohort:
        total = sum(path.share for path in self.paths)
        if total != WHOLE:
            raise refused(Refusal("percent_total", f"The shares make {total / 100:g}, not 100.", ("paths",)))
        return self

    def ways(self) -> list[Way]:
        """The paths, in listed order."""
        return [Way(path.next, ("paths", i, "next")) for i, path in enumerate(self.paths)]

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """The object type."""
        if isinstance(self.cohort_by, ObjectCohort):
            yield ("cohort_by", "object_type"), "object_type", self.cohort_by.object_type

    def needs_person(self) -> str | None:
        """Only people are related to objects."""
        return "There is no person whose objects could be asked." if isinstance(self.cohort_by, ObjectCohort) else None

    def check(self, pointer: str, _trigger_type: str | None, /) -> Iterator[Problem]:
        """Path keys are unique."""
        yield from same_keys(self.paths, pointer)

    def drawn(self, visit: Visit) -> int:
        """The index of the path that chance gives to the journey."""
        journey = visit.facts.journey
        mark = stable_fraction("random_cohort", "" if journey is None else journey.journey_id, visit.key) * WHOLE
        reached = 0
        for index, path in enumerate(self.paths):
            reached += path.share
            if mark < reached:
                return index
        raise AssertionError("the shares make a whole")

    def decide(self, visit: Visit, /) -> Planned:
        """Take the path that is drawn; for a cohort by object that is for whoever knows what its object got before."""
        index = self.drawn(visit)
        path = self.paths[index]
        if isinstance(self.cohort_by, ObjectCohort):
            ways = tuple((one.key, one.next) for one in self.paths)
            return Planned(effect=Assign(object_type=self.cohort_by.object_type, paths=ways, drawn=path.key))
        return take(path.next, index, path.key)
