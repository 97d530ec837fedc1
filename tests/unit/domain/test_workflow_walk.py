"""The order in which a workflow is read: every block once, paths before what they join at."""

from __future__ import annotations

import pytest

from domain.definitions import CampaignDefinition, read_definition
from domain.workflow_walk import paths, walk
from services.documents_io import load_yaml
from settings import CHECKOUT

FILES = sorted((CHECKOUT / "examples").rglob("*.yaml"))
CAMPAIGNS = [
    (f"{file.stem}/{raw['key']}", raw)
    for file in FILES
    for raw in load_yaml(file.read_bytes())
    if isinstance(raw, dict) and raw.get("kind") == "campaign"
]


@pytest.mark.parametrize(("name", "raw"), CAMPAIGNS, ids=[name for name, _ in CAMPAIGNS])
def test_every_block_of_every_example_comes_once_and_where_it_stands(name, raw):
    definition, _ = read_definition(raw)
    assert isinstance(definition, CampaignDefinition)
    workflow = definition.workflow
    places = list(walk(workflow))
    assert sorted(place.key for place in places) == sorted(workflow.blocks)
    met: list[str] = []
    for place in places:
        assert place.branch == workflow.parents[place.key]
        if place.branch is not None:
            assert place.branch in met
            assert place.path in {path.key for path in paths(workflow.blocks[place.branch])}
            depth = next(other.depth for other in places if other.key == place.branch)
            assert place.depth == depth + 1
        met.append(place.key)
    for place in places:
        join = place.block.join_key
        if join is not None:
            inside = [other.key for other in places if other.branch == place.key]
            assert all(met.index(key) < met.index(join) for key in inside)


def test_paths_are_called_what_the_log_calls_them():
    raw = {
        "kind": "campaign",
        "key": "c",
        "name": "C",
        "trigger": {"type": "event", "event": "e"},
        "workflow": {
            "start": "fork",
            "blocks": {
                "fork": {"type": "true_false", "then": None, "else": "wait"},
                "wait": {"type": "wait_until", "paths": [{"key": "late", "name": "Too late", "max_time": "P1D"}]},
            },
        },
    }
    definition, _ = read_definition(raw)
    assert isinstance(definition, CampaignDefinition)
    blocks = definition.workflow.blocks
    assert paths(blocks["fork"]) == [("then", "then", None), ("else", "else", "wait")]
    assert paths(blocks["wait"]) == [("late", "Too late", None)]
