"""The examples are valid as they stand, each folder by itself, and nothing in them goes without saying."""

from __future__ import annotations

import pytest

from console.documents import read_sources
from domain.blocks import BLOCKS
from domain.definitions import KINDS, CampaignDefinition, read_definition
from services.definition_checks import check
from settings import CHECKOUT
from tests.support.rows import definition_row

EXAMPLES = CHECKOUT / "examples"
SINK = {"kind": "provider", "key": "sink", "channel": "email", "provider": "capture"}


@pytest.mark.parametrize("name", ["shop", "live", "segments"])
def test_a_folder_has_no_problems(name: str) -> None:
    sources = read_sources(EXAMPLES / name)
    raws = [(source.place(), source.value) for source in sources]
    stored = [] if name == "shop" else [definition_row(SINK)]
    checked = check(raws, stored, sandbox=name == "shop")
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
    assert kinds == set(KINDS) - {"provider"}
