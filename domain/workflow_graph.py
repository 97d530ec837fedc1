"""The workflow as a graph: a tree with joins, what is wrong with it, and where a person goes on (ACT-01, ACT-38)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple, get_args

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer, model_validator

from domain.blocks import BLOCKS, AnyBlock, ExitBlock, SendingState, StepBlock
from domain.blocks.base import pointer_to
from domain.condition_rules import check_condition
from domain.documents import Document, Key
from domain.errors import Problem


class WorkflowDefaults(Document):
    """Settings filled into the blocks that leave them out."""

    sending_state: SendingState | None = None


class Workflow(Document):
    """Blocks by key and the one everybody starts at; the order of the map means nothing."""

    start: Key | None = None
    defaults: WorkflowDefaults = Field(default_factory=WorkflowDefaults)
    blocks: dict[Key, AnyBlock]

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, value: Any) -> Any:
        """Give blocks that have a sending behaviour, but leave it out, the workflow's."""
        if not isinstance(value, dict):
            return value
        defaults, blocks = value.get("defaults"), value.get("blocks")
        state = defaults.get("sending_state") if isinstance(defaults, dict) else None
        if state not in get_args(SendingState) or not isinstance(blocks, dict):
            return value
        return {**value, "blocks": {key: _with_state(block, state) for key, block in blocks.items()}}

    @model_serializer(mode="wrap")
    def _keep_filled(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """Without defaults the filled-in states would be lost, and filled in differently when read again."""
        dumped: dict[str, Any] = handler(self)
        if info.exclude_defaults and self.defaults.sending_state is not None:
            for key, block in dumped.get("blocks", {}).items():
                state = getattr(self.blocks[key], "sending_state", None)
                if state is not None:
                    block["sending_state"] = state
        return {name: value for name, value in dumped.items() if value is not None}

    @cached_property
    def parents(self) -> dict[str, str | None]:
        """For each reachable block the branch in whose paths it stands, None at the top; a join stands where its branch does."""
        found: dict[str, str | None] = {}
        open_ends: list[tuple[str | None, str | None]] = [(self.start, None)]
        while open_ends:
            key, parent = open_ends.pop()
            block = self.blocks.get(key) if key is not None else None
            if key is None or block is None or key in found:
                continue
            found[key] = parent
            inner = key if block.is_branch else parent
            open_ends += [(way.next, inner) for way in block.ways() if way.next != block.join_key or way.next is None]
            # Last in, first out: the join is claimed by the outer level before any path can.
            open_ends.append((block.join_key, parent))
        return found


def _with_state(block: Any, state: Any) -> Any:
    if not isinstance(block, dict) or "sending_state" in block:
        return block
    kind = BLOCKS.get(block["type"]) if isinstance(block.get("type"), str) else None
    return {**block, "sending_state": state} if kind is not None and "sending_state" in kind.model_fields else block


def next_after(workflow: Workflow, block_key: str, named_next: str | None) -> str | None:
    """The block to go to from `block_key` when its plan names `named_next`.

    Where it names none: the block's own join, else the join of the innermost branch around it that has one, else None,
    which is the end of the journey.
    """
    if named_next is not None:
        return named_next
    around: str | None = block_key
    while around is not None:
        block = workflow.blocks.get(around)
        if block is not None and block.join_key is not None:
            return block.join_key
        around = workflow.parents.get(around)
    return None


def successor_if_deleted(workflow: Workflow, key: str) -> str | None:
    """Where people standing in the block go on once it is gone: after a branch at its join, else at what follows (ACT-38)."""
    block = workflow.blocks[key]
    return next_after(workflow, key, block.next if isinstance(block, StepBlock) else None)


def check_conditions(workflow: Workflow, pointer: str = "", trigger_type: str | None = None) -> list[Problem]:
    """What the blocks' conditions may not ask where they stand, given the campaign's trigger (ACT-03, ACT-10, ACT-12)."""
    return [
        problem
        for key, block in workflow.blocks.items()
        for field, place, condition in block.placed_conditions()
        for problem in check_condition(
            condition,
            place,
            pointer=pointer_to(pointer, "blocks", key, *field),
            trigger_type=trigger_type,
            in_workflow=True,
        )
    ]


class _Reference(NamedTuple):
    """One field that names a block: the block it stands in (None: the workflow itself), its pointer and what it names."""

    source: str | None
    pointer: str
    target: str
    is_join: bool


def check_graph(workflow: Workflow, pointer: str = "", trigger_type: str | None = None) -> list[Problem]:
    """Everything wrong with the workflow of a campaign; `pointer` says where it stands in the document.

    `trigger_type` decides what blocks may ask of the trigger; None leaves that unchecked.
    """
    if not workflow.blocks:
        message = "The workflow has no block yet; add one before starting."
        return [Problem(code="empty_workflow", pointer=f"{pointer}/blocks", message=message, stage="start")]
    problems = [
        problem
        for key, block in workflow.blocks.items()
        for problem in block.check(pointer_to(pointer, "blocks", key), trigger_type)
    ]
    if workflow.start is None:
        message = "Name the block everybody starts at."
        return [*problems, Problem(code="required", pointer=f"{pointer}/start", message=message)]
    references = list(_references(workflow, pointer))
    problems += [
        Problem(code="unknown_block", pointer=r.pointer, message=f"There is no block '{r.target}'.")
        for r in references
        if r.target not in workflow.blocks
    ]
    known = [r for r in references if r.target in workflow.blocks]
    ring = _ways_back(known)
    problems += [
        Problem(code="cycle", pointer=r.pointer, message=f"This leads back to '{r.target}'; a workflow has no loops.")
        for r in known
        if r.pointer in ring
    ]
    reached = _reached(known)
    problems += _overlaps([r for r in known if r.pointer not in ring and (r.source is None or r.source in reached)])
    problems += _exits_at_the_top(workflow, pointer)
    unreachable = [key for key in workflow.blocks if key not in reached]
    if not problems:
        unreachable += _joins_nobody_reaches(workflow)
    return problems + [
        Problem(
            code="unreachable_block", pointer=pointer_to(pointer, "blocks", key), message=f"No way leads to '{key}'."
        )
        for key in unreachable
    ]


def _references(workflow: Workflow, pointer: str) -> Iterator[_Reference]:
    if workflow.start is not None:
        yield _Reference(None, f"{pointer}/start", workflow.start, False)
    for key, block in workflow.blocks.items():
        here = pointer_to(pointer, "blocks", key)
        for way in block.ways():
            # A path that names its own branch's join is an empty path.
            if way.next is not None and way.next != block.join_key:
                yield _Reference(key, pointer_to(here, *way.field), way.next, False)
        if block.join_key is not None:
            yield _Reference(key, pointer_to(here, "join"), block.join_key, True)


def _by_source(references: list[_Reference]) -> dict[str | None, list[_Reference]]:
    grouped: dict[str | None, list[_Reference]] = {}
    for reference in references:
        grouped.setdefault(reference.source, []).append(reference)
    return grouped


def _ways_back(references: list[_Reference]) -> set[str]:
    """The pointers of references that close a ring on the way from the start; iterative, since depth is the author's."""
    outgoing = _by_source(references)
    back: set[str] = set()
    done: set[str] = set()
    on_the_way: set[str] = set()
    stack: list[tuple[str | None, Iterator[_Reference]]] = [(None, iter(outgoing.get(None, [])))]
    while stack:
        source, remaining = stack[-1]
        reference = next(remaining, None)
        if reference is None:
            stack.pop()
            if source is not None:
                on_the_way.discard(source)
                done.add(source)
        elif reference.target in on_the_way:
            back.add(reference.pointer)
        elif reference.target not in done:
            on_the_way.add(reference.target)
            stack.append((reference.target, iter(outgoing.get(reference.target, []))))
    return back


def _reached(references: list[_Reference]) -> set[str]:
    outgoing = _by_source(references)
    reached: set[str] = set()
    fresh: list[str | None] = [None]
    while fresh:
        for reference in outgoing.get(fresh.pop(), []):
            if reference.target not in reached:
                reached.add(reference.target)
                fresh.append(reference.target)
    return reached


def _overlaps(references: list[_Reference]) -> Iterator[Problem]:
    """Every block has one way in: a join that names it, else the first reference in document order."""
    kept: dict[str, _Reference] = {}
    for reference in sorted(references, key=lambda r: (r.source is not None, not r.is_join)):
        kept.setdefault(reference.target, reference)
    for reference in references:
        if kept[reference.target] is not reference:
            message = f"Another way leads to '{reference.target}' already; let the paths meet at the branch's join."
            yield Problem(code="path_overlap", pointer=reference.pointer, message=message)


def _exits_at_the_top(workflow: Workflow, pointer: str) -> Iterator[Problem]:
    for key, block in workflow.blocks.items():
        if isinstance(block, ExitBlock) and key in workflow.parents and workflow.parents[key] is None:
            message = "An exit stands only at the end of a branch's path."
            yield Problem(code="exit_not_in_path", pointer=pointer_to(pointer, "blocks", key), message=message)


def _joins_nobody_reaches(workflow: Workflow) -> list[str]:
    """The joins of branches all of whose paths end in an exit; the graph is known to be a tree."""
    ends_open: dict[str, bool] = {}
    dead: list[str] = []
    # `parents` lists a block before everything below it, so the reverse order has every successor decided.
    for key in reversed(workflow.parents):
        block = workflow.blocks[key]
        ways = [way.next is None or way.next == block.join_key or ends_open[way.next] for way in block.ways()]
        ends_open[key] = any(ways)
        if block.join_key is not None:
            if not any(ways):
                dead.append(block.join_key)
            ends_open[key] = any(ways) and ends_open[block.join_key]
    return dead


def resume_at(workflow: Workflow, block_key: str, removed_successors: Mapping[str, str | None]) -> str | None:
    """Where somebody standing in `block_key` goes on in the workflow as it is now; None is the end of the journey.

    A block that is still there, under its key or renamed, keeps its people; a removed one hands them to its recorded
    successor, and so on until one exists.
    """
    key: str | None = block_key
    seen: set[str] = set()
    while key is not None and key not in seen:
        seen.add(key)
        if key in workflow.blocks:
            return key
        renamed = _renamed(workflow, key)
        if renamed is not None:
            return renamed
        key = removed_successors.get(key)
    return None


def _renamed(workflow: Workflow, key: str) -> str | None:
    return next((new for new, block in workflow.blocks.items() if block.renamed_from == key), None)
