"""A workflow in the order in which people read it: from the start, into each path, on at the join."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from domain.blocks import AnyBlock
from domain.blocks.base import BranchBlock, Way
from domain.workflow_graph import Workflow


class Path(NamedTuple):
    """One way out of a branch: what log and totals call it, what people do, where it leads."""

    key: str
    name: str
    next: str | None


class Place(NamedTuple):
    """A block where it stands: in which path of which branch, None at the top."""

    key: str
    block: AnyBlock
    branch: str | None
    path: str | None
    depth: int


def paths(block: AnyBlock) -> list[Path]:
    """The paths of a branch in listed order; a block that is none has none."""
    if not isinstance(block, BranchBlock):
        return []
    return [_path(block, way) for way in block.ways()]


def walk(workflow: Workflow) -> Iterator[Place]:
    """Every block once; a path comes before the next one, all before the block at which they join."""
    met: set[str] = set()
    ahead: list[tuple[str | None, str | None, str | None, int]] = [(workflow.start, None, None, 0)]
    while ahead:
        key, branch, path, depth = ahead.pop()
        block = workflow.blocks.get(key) if key is not None else None
        if key is None or block is None or key in met or workflow.parents.get(key) != branch:
            continue
        met.add(key)
        yield Place(key, block, branch, path, depth)
        if block.is_branch:
            ahead.append((block.join_key, branch, path, depth))
            ahead += [(way.next, key, way.key, depth + 1) for way in reversed(paths(block))]
        else:
            ahead += [(way.next, branch, path, depth) for way in reversed(block.ways())]


def _path(block: BranchBlock, way: Way) -> Path:
    listed = getattr(block, "paths", ())
    if way.field[0] == "paths" and isinstance(way.field[1], int):
        one = listed[way.field[1]]
        return Path(one.key, one.name or one.key, way.next)
    word = str(way.field[0])
    return Path(word, word, way.next)


__all__ = ["Path", "Place", "paths", "walk"]
