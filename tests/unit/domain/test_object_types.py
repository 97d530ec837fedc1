"""Documents of object types, and the names that calls give them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.animals import ANIMALS, animal_for
from domain.definitions import ObjectTypeDefinition, read_definition
from domain.definitions.object_type import snake_case

ACCOUNT = {"kind": "object_type", "key": "account", "name": "Accounts", "singular_name": "Account"}


class InUse:
    """A workspace in which a segment looks at every object type."""

    def users(self, _kind: str, _key: str) -> list[tuple[str, str]]:
        return [("segment", "owners")]

    def others(self, _kind: str, _key: str) -> list[Any]:
        return []


@pytest.mark.parametrize(
    ("text", "slug"),
    [("Accounts", "accounts"), ("Online  Courses!", "online_courses"), ("2nd Élèves", "nd_eleves"), ("日本", "")],
)
def test_names_in_snake_case(text: str, slug: str) -> None:
    assert snake_case(text) == slug


def test_a_name_that_makes_no_slug_asks_for_one() -> None:
    _, problems = read_definition({**ACCOUNT, "name": "日本"})
    assert [(p.code, p.pointer) for p in problems] == [("required", "/slug")]
    definition, problems = read_definition({**ACCOUNT, "name": "日本", "slug": "japan"})
    assert (problems, definition.slug, definition.singular_slug) == ([], "japan", "account")


@pytest.mark.parametrize("number", [0, -1, 2**31, "1", 1.5, True])
def test_numbers_are_whole_and_have_an_end(number: Any) -> None:
    _, problems = read_definition({**ACCOUNT, "object_type_id": number})
    assert [p.pointer for p in problems] == ["/object_type_id"]


def test_what_is_used_stays_enabled() -> None:
    disabled = ObjectTypeDefinition.model_validate({**ACCOUNT, "enabled": False})
    (problem,) = disabled.check(InUse())
    assert (problem.code, problem.pointer) == ("in_use", "/enabled")
    assert list(ObjectTypeDefinition.model_validate(ACCOUNT).check(InUse())) == []


def test_animals_have_different_names_and_last() -> None:
    assert len(ANIMALS) >= 60
    assert len({word for animal in ANIMALS for word in animal}) == 2 * len(ANIMALS)
    assert all(snake_case(word) == word for animal in ANIMALS for word in animal)
    taken: set[str] = set()
    for number in range(1, len(ANIMALS) + 3):
        animal = animal_for(number, taken)
        assert taken.isdisjoint(animal)
        taken.update(animal)
