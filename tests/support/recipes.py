"""The recipes of `examples/recipes`, as a workspace takes them."""

from __future__ import annotations

from typing import Any

from console.documents import read_sources
from settings import CHECKOUT
from tests.support.live import Workspace

RECIPES = CHECKOUT / "examples" / "recipes"


def recipe(name: str) -> list[dict[str, Any]]:
    """The documents of one file, with the sender that all of them name."""
    return [source.value for file in ("team", name) for source in read_sources(RECIPES / f"{file}.yaml")]


async def cooked(workspace: Workspace, name: str) -> None:
    """A recipe whose campaigns run."""
    documents = recipe(name)
    await workspace.define(*documents)
    for document in documents:
        if document["kind"] == "campaign":
            await workspace.start(document["key"])


__all__ = ["RECIPES", "cooked", "recipe"]
