"""Copying blocks: which are meant, what goes with them, and the workflow that they are put into (ACT-39)."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, TypeAdapter, ValidatorFunctionWrapHandler, WrapValidator

from domain.blocks import BranchBlock, StepBlock
from domain.copied_blocks import Carried, Crossing, left_out
from domain.definitions.campaign import CampaignDefinition
from domain.documents import Document, Key, NonEmpty, Reference, Refusal, refused
from domain.errors import InvalidInput, Problem
from domain.problems import pointer_of
from domain.workflow_graph import Workflow
from domain.workflow_walk import paths, walk

MOST: Final = 1_000
LONGEST_KEY: Final = 64
ALL: Final = "all"
_KEYS: Final[TypeAdapter[tuple[str, ...]]] = TypeAdapter(Annotated[tuple[Key, ...], Field(max_length=MOST), NonEmpty])
_KEY: Final[TypeAdapter[str]] = TypeAdapter(Key)


class CopySource(Document):
    """The campaign that blocks are copied from, of another workspace where one is named."""

    campaign: Reference
    workspace: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] | None = None


class PathPlace(Document):
    """The beginning of a path of a branch."""

    path_of: Key
    path: Key


def _read_blocks(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if value == ALL:
        return value
    if isinstance(value, str):
        raise refused(Refusal("enum", f"Write '{ALL}', or list the keys of blocks.", (), value))
    keys = _KEYS.validate_python(value)
    repeated = [index for index, key in enumerate(keys) if key in keys[:index]]
    if repeated:
        raise refused(*(Refusal("duplicate", f"The block '{keys[i]}' is listed twice.", (i,)) for i in repeated))
    return keys


def _read_place(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if value is None or isinstance(value, PathPlace):
        return value
    return PathPlace.model_validate(value) if isinstance(value, dict) else _KEY.validate_python(value)


class BlockCopy(Document):
    """Which blocks are copied and where they come to stand: behind a block, first in a path, else first of all."""

    nullable: ClassVar[frozenset[str]] = frozenset({"after"})

    from_: CopySource = Field(alias="from")
    blocks: Annotated[tuple[Key, ...] | Literal["all"], WrapValidator(_read_blocks)]
    after: Annotated[Key | PathPlace | None, WrapValidator(_read_place)] = None


@dataclass(frozen=True)
class Copied:
    """The document with the copies in it, the new keys by the old ones, and what is worth saying of them."""

    document: dict[str, Any]
    keys: Mapping[str, str]
    warnings: Sequence[Problem]


@dataclass
class _Choice:
    """The blocks that go, in the order of their workflow; those of `top` come to follow one another."""

    keys: list[str] = field(default_factory=list)
    top: list[str] = field(default_factory=list)
    gone: dict[str, None] = field(default_factory=dict)
    """What stays behind of what is meant: waits without a path left, and what stood in paths that stay behind."""
    shorter: dict[str, set[int]] = field(default_factory=dict)
    """The paths that stay behind, by the block that has them."""


def copied(
    asked: BlockCopy,
    source: CampaignDefinition,
    actions: Mapping[str, int],
    destination: CampaignDefinition,
    *,
    live: bool,
    taken: Collection[str] = (),
    crossing: Crossing | None = None,
) -> Copied:
    """The destination with copies of blocks of the source.

    `actions` are the numbers of the source's blocks, `live` says whether people may be inside the destination, `taken` are
    keys that no copy may have beside those in use. `crossing` is given where the two are of different workspaces. Raises
    InvalidInput with pointers into the request for what cannot be found, into the new document for what cannot be copied.
    """
    choice = _choose(asked, source.workflow, crosses=crossing is not None)
    keys = _new_keys(choice.keys, destination, taken)
    carried = Carried(
        campaign=source.key,
        actions=actions,
        keys=keys,
        live=live,
        stays=crossing is None and source.key == destination.key,
        crossing=crossing,
    )
    document: dict[str, Any] = copy.deepcopy(destination.wire())
    workflow = document["workflow"]
    behind = _make_room(asked, destination.workflow, workflow, keys[choice.top[0]])
    originals = source.wire()["workflow"]["blocks"]
    for key in choice.keys:
        block, raw = source.workflow.blocks[key], copy.deepcopy(originals[key])
        _lead(source.workflow, choice, keys, key, raw)
        workflow["blocks"][keys[key]] = carried.changed(key, block, raw)
        for index in sorted(choice.shorter.get(key, ()), reverse=True):
            path = raw["paths"].pop(index)
            message = f"The conditions of the path '{path['key']}' are those of the other workspace: it was left out."
            pointer = pointer_of(("workflow", "blocks", keys[key], "paths"))
            carried.warnings.append(Problem(code="not_applicable", pointer=pointer, message=message))
    for key, follower in zip(choice.top, [*[keys[one] for one in choice.top[1:]], behind], strict=True):
        block = source.workflow.blocks[key]
        if isinstance(block, StepBlock | BranchBlock):
            workflow["blocks"][keys[key]]["next" if isinstance(block, StepBlock) else "join"] = follower
    carried.warnings += [_stayed(source.workflow, key) for key in choice.gone if _is_wait(source.workflow, key)]
    if carried.problems:
        raise InvalidInput(carried.problems)
    return Copied(document, keys, carried.warnings)


def _choose(asked: BlockCopy, workflow: Workflow, *, crosses: bool) -> _Choice:
    unknown = [i for i, key in enumerate(asked.blocks) if key not in workflow.blocks] if asked.blocks != ALL else []
    if unknown:
        message = "The campaign has no such block."
        raise InvalidInput([Problem(code="unknown_block", pointer=f"/blocks/{i}", message=message) for i in unknown])
    meant = set(workflow.blocks) if asked.blocks == ALL else set(asked.blocks)
    choice = _Choice()
    inside: set[str] = set()
    for key, block, branch, path, _ in walk(workflow):
        # Whatever stands in a branch goes where the branch goes.
        is_inside = branch is not None and branch in inside
        if not is_inside and key not in meant:
            continue
        inside.add(key)
        if branch in choice.gone or _stays_behind(workflow, choice, branch, path):
            choice.gone[key] = None
            continue
        without = set(left_out(block)) if crosses else set()
        if without and len(without) == len(paths(block)):
            choice.gone[key] = None
            continue
        if without:
            choice.shorter[key] = without
        choice.keys.append(key)
        if not is_inside:
            choice.top.append(key)
    if not choice.top:
        message = "There is nothing to copy."
        raise InvalidInput([Problem(code="empty_workflow", pointer="/blocks", message=message)])
    return choice


def _stays_behind(workflow: Workflow, choice: _Choice, branch: str | None, path: str | None) -> bool:
    """Whether a path is one of those that stay behind."""
    if branch is None or branch not in choice.shorter:
        return False
    return any(paths(workflow.blocks[branch])[index].key == path for index in choice.shorter[branch])


def _new_keys(keys: Sequence[str], destination: CampaignDefinition, taken: Collection[str]) -> dict[str, str]:
    """A key for each copy: its own where it is free, else with a number behind it."""
    blocks = destination.workflow.blocks
    used = {*blocks, *taken, *(block.renamed_from for block in blocks.values() if block.renamed_from is not None)}
    found: dict[str, str] = {}
    for key in keys:
        fresh, number = key, 1
        while fresh in used:
            number += 1
            tail = f"-{number}"
            fresh = key[: LONGEST_KEY - len(tail)] + tail
        used.add(fresh)
        found[key] = fresh
    return found


def _make_room(asked: BlockCopy, workflow: Workflow, raw: dict[str, Any], first: str) -> str | None:
    """Have the place lead to the first of the copies; returns the block that stood there, which comes to follow the last."""
    place = asked.after
    if place is None:
        before, raw["start"] = workflow.start, first
        return before
    key, at = (place, "/after") if isinstance(place, str) else (place.path_of, "/after/path_of")
    block = workflow.blocks.get(key)
    if block is None:
        raise _wrong("unknown_block", at, f"There is no block '{key}' in the campaign.")
    target = raw["blocks"][key]
    if isinstance(place, PathPlace):
        ways = block.ways() if isinstance(block, BranchBlock) else []
        way = next((w for w, path in zip(ways, paths(block), strict=True) if path.key == place.path), None)
        if way is None:
            raise _wrong("unknown_reference", "/after/path", f"The block '{key}' has no path '{place.path}'.")
        _set(target, way.field, first)
        # A path that names its branch's join is an empty one.
        return None if way.next == block.join_key else way.next
    if isinstance(block, StepBlock):
        target["next"] = first
        return block.next
    if not isinstance(block, BranchBlock):
        raise _wrong("not_applicable", "/after", "Nothing follows an exit.")
    for way in block.ways():
        if way.next is not None and way.next == block.join_key:
            _set(target, way.field, None)
    target["join"] = first
    return block.join_key


def _lead(workflow: Workflow, choice: _Choice, keys: Mapping[str, str], key: str, raw: dict[str, Any]) -> None:
    """Have a copy lead to copies; where those of `top` lead is said by whoever puts them in a row."""
    block = workflow.blocks[key]

    def target(named: str | None) -> str | None:
        while named is not None and named in choice.gone:
            named = workflow.blocks[named].join_key
        return None if named is None else keys.get(named)

    for way in block.ways():
        _set(raw, way.field, None if way.next == block.join_key else target(way.next))
    if isinstance(block, BranchBlock):
        raw["join"] = target(block.join_key)


def _set(raw: Any, path: Sequence[str | int], value: Any) -> None:
    for step in path[:-1]:
        raw = raw[step]
    raw[path[-1]] = value


def _is_wait(workflow: Workflow, key: str) -> bool:
    return any(True for _ in left_out(workflow.blocks[key]))


def _stayed(workflow: Workflow, key: str) -> Problem:
    name = workflow.blocks[key].label(key)
    message = f"The conditions of the wait '{name}' are those of the other workspace: it was left out."
    return Problem(code="not_applicable", pointer="/workflow/blocks", message=message)


def _wrong(code: str, pointer: str, message: str) -> InvalidInput:
    return InvalidInput([Problem(code=code, pointer=pointer, message=message)])


__all__ = ["ALL", "BlockCopy", "Copied", "CopySource", "Crossing", "PathPlace", "copied"]
