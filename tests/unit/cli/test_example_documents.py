"""The examples are valid as they stand, each folder by itself, and nothing in them goes without saying."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.documents import read_sources
from domain.blocks import BLOCKS
from domain.definitions import KINDS, CampaignDefinition, read_definition
from services.definition_checks import check
from settings import CHECKOUT
from tests.support.rows import definition_row

EXAMPLES = CHECKOUT / "examples"
RECIPES = EXAMPLES / "recipes"
SINK = {"kind": "provider", "key": "sink", "channel": "email", "provider": "capture"}


@pytest.mark.parametrize("name", ["shop", "live", "segments", "engine", "recipes", "sends"])
def test_a_folder_has_no_problems(name: str) -> None:
    sources = read_sources(EXAMPLES / name)
    raws = [(source.place(), source.value) for source in sources]
    sandbox = name in {"shop", "engine", "recipes", "sends"}
    checked = check(raws, [] if sandbox else [definition_row(SINK)], sandbox=sandbox)
    assert checked.errors == []
    assert checked.warnings == []


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_recipe_stands_by_itself_but_for_its_sender(file: Path) -> None:
    raws = [(source.place(), source.value) for source in read_sources(file)]
    if file.stem != "team":
        raws += [(source.place(), source.value) for source in read_sources(RECIPES / "team.yaml")]
    checked = check(raws, [], sandbox=True)
    assert checked.errors == []
    assert checked.warnings == []


def test_every_block_and_kind_has_an_example() -> None:
    used, kinds = set(), set()
    for source in read_sources(EXAMPLES):
        definition, problems = read_definition(source.value)
        assert problems == [], source.place()
        kinds.add(source.value["kind"])
        if isinstance(definition, CampaignDefinition):
            used |= {block.type for block in definition.workflow.blocks.values()}
    assert used == set(BLOCKS)
    assert kinds == set(KINDS)


def test_a_recipe_replaces_nothing_of_the_shop() -> None:
    """Whoever tries one in the demonstration's workspace keeps what is running there."""
    examples = CHECKOUT / "examples"
    shop, recipes = (
        {(source.value["kind"], source.value["key"]) for source in read_sources(examples / name)}
        for name in ("shop", "recipes")
    )
    assert shop.isdisjoint(recipes)
