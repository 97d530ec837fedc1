"""Boolean trees over leaves of any kind: all of, any of, not; read from the wire, written back canonically, decided.

Two grammars share them: conditions on a person and comparisons on one record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from domain.operators.base import Decision, earliest

BODY = TypeVar("BODY")
COMBINATORS = ("and", "or", "not")
MAX_DEPTH = 10
MAX_LEAVES = 200
_PARSED_DEPTH = 64
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Leaf(Generic[BODY]):
    """One test, and the JSON Pointer at which it was written, below the root of the tree."""

    body: BODY
    pointer: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class All(Generic[BODY]):
    """Every node holds."""

    nodes: tuple[Node[BODY], ...]


@dataclass(frozen=True, slots=True)
class AnyOf(Generic[BODY]):
    """At least one node holds."""

    nodes: tuple[Node[BODY], ...]


@dataclass(frozen=True, slots=True)
class Not(Generic[BODY]):
    """The node does not hold: its plain complement."""

    node: Node[BODY]


Node = Leaf[BODY] | All[BODY] | AnyOf[BODY] | Not[BODY]


class Reader(Generic[BODY]):
    """Reads one tree from the wire and collects everything wrong with it.

    `read_leaf` gets a node that is no combinator; it answers where the leaf's body stands and how to read it.
    """

    def __init__(self, read_leaf: Callable[[Any], tuple[Location, Callable[[], BODY]]], what: str) -> None:
        self._read_leaf = read_leaf
        self._what = what
        self._errors: list[InitErrorDetails] = []

    def read(self, raw: Any) -> Node[BODY]:
        """The tree of a node or of a list of nodes, which means all of them; raises ValidationError."""
        node = self._all(raw, ()) if isinstance(raw, list | tuple) else self._node(raw, ())
        if node is None or self._errors:
            raise ValidationError.from_exception_data(self._what, self._errors)
        return node

    def _all(self, raw: Sequence[Any], at: Location) -> Node[BODY] | None:
        nodes = self._nodes(raw, at)
        return nodes[0] if nodes and len(raw) == 1 else All(nodes) if nodes else None

    def _nodes(self, raw: Any, at: Location) -> tuple[Node[BODY], ...] | None:
        if not isinstance(raw, list | tuple):
            self._refuse("type", "Give a list of nodes.", at, raw)
            return None
        if not raw:
            self._refuse("length", "Give at least one node.", at, raw)
            return None
        nodes = [self._node(item, (*at, index)) for index, item in enumerate(raw)]
        return tuple(node for node in nodes if node is not None)

    def _node(self, raw: Any, at: Location) -> Node[BODY] | None:
        if len(at) > 2 * _PARSED_DEPTH:
            self._refuse("too_complex", f"At most {MAX_DEPTH} levels may be nested.", (), None)
            return None
        if not isinstance(raw, dict) or "field" in raw or not any(word in raw for word in COMBINATORS):
            return self._leaf(raw, at)
        if len(raw) > 1:
            self._refuse("type", "A node has exactly one key; join several nodes with and/or.", at, raw)
            return None
        word, body = next(iter(raw.items()))
        if word == "not":
            inner = self._node(body, (*at, word))
            return None if inner is None else Not(inner)
        nodes = self._nodes(body, (*at, word))
        if not nodes:
            return None
        return All(nodes) if word == "and" else AnyOf(nodes)

    def _leaf(self, raw: Any, at: Location) -> Node[BODY] | None:
        place: Location = ()
        try:
            place, read = self._read_leaf(raw)
            body = read()
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._refuse(detail["type"], detail["msg"], (*at, *place, *detail["loc"]), detail["input"])
            return None
        return Leaf(body, "".join(f"/{step}" for step in (*at, *place)))

    def _refuse(self, code: str, message: str, at: Location, value: Any) -> None:
        # A literal brace would be read as a placeholder, so the sentence goes in as context.
        kind = PydanticCustomError(code, "{sentence}", {"sentence": message})
        self._errors.append(InitErrorDetails(type=kind, loc=at, input=value))


def dump_tree(node: Node[BODY], dump_leaf: Callable[[BODY], Any]) -> Any:
    """The canonical wire form: `and`, `or`, `not` written out, leaves as `dump_leaf` writes them."""
    if isinstance(node, Leaf):
        return dump_leaf(node.body)
    if isinstance(node, Not):
        return {"not": dump_tree(node.node, dump_leaf)}
    return {"and" if isinstance(node, All) else "or": [dump_tree(child, dump_leaf) for child in node.nodes]}


def children(node: Node[BODY]) -> tuple[Node[BODY], ...]:
    """The nodes directly below a node."""
    if isinstance(node, Leaf):
        return ()
    return (node.node,) if isinstance(node, Not) else node.nodes


def leaves(node: Node[BODY]) -> Iterator[Leaf[BODY]]:
    """Every leaf, in document order."""
    if isinstance(node, Leaf):
        yield node
    for child in children(node):
        yield from leaves(child)


def depth(node: Node[BODY]) -> int:
    """How many combinators stand above the deepest leaf."""
    return max((depth(child) + 1 for child in children(node)), default=0)


def is_complex(node: Node[BODY]) -> bool:
    """Whether the tree is deeper than 10 or has more than 200 leaves (`too_complex`)."""
    return depth(node) > MAX_DEPTH or sum(1 for _ in leaves(node)) > MAX_LEAVES


def decide_tree(node: Node[BODY], decide_leaf: Callable[[BODY], Decision]) -> tuple[bool, int | None, Leaf[BODY]]:
    """Whether the tree holds, until when at least by the clock alone, and the leaf that decided it.

    One false node keeps an `and` false for as long as that node stays false, so the latest flip among the false ones
    counts, and the first of them that never flips ends the search; for a true `or` likewise.
    """
    if isinstance(node, Leaf):
        matched, flip = decide_leaf(node.body)
        return matched, flip, node
    if isinstance(node, Not):
        matched, flip, leaf = decide_tree(node.node, decide_leaf)
        return not matched, flip, leaf
    decisive = isinstance(node, AnyOf)
    held: int | None = None
    settled: tuple[int, Leaf[BODY]] | None = None
    last: Leaf[BODY] | None = None
    for child in node.nodes:
        matched, flip, last = decide_tree(child, decide_leaf)
        if matched != decisive:
            held = earliest(held, flip)
        elif flip is None:
            return decisive, None, last
        elif settled is None or flip > settled[0]:
            settled = (flip, last)
    if settled is not None:
        return decisive, settled[0], settled[1]
    assert last is not None, "a combinator has at least one node"
    return not decisive, held, last


Decide = Callable[[Any, Any], Decision]
"""A tree made ready: what it decides on two arguments that every leaf is given."""


def compile_tree(node: Node[BODY], compile_leaf: Callable[[BODY], Decide]) -> Decide:
    """The same decisions as `decide_tree` for a tree that is asked often, without naming the leaf that decided."""
    if isinstance(node, Leaf):
        return compile_leaf(node.body)
    if isinstance(node, Not):
        return _complement(compile_tree(node.node, compile_leaf))
    nodes = tuple(compile_tree(child, compile_leaf) for child in node.nodes)
    return nodes[0] if len(nodes) == 1 else _junction(nodes, decisive=isinstance(node, AnyOf))


def _complement(inner: Decide) -> Decide:
    def decide(facts: Any, at: Any) -> Decision:
        matched, flip = inner(facts, at)
        return not matched, flip

    return decide


def _junction(nodes: tuple[Decide, ...], *, decisive: bool) -> Decide:
    def decide(facts: Any, at: Any) -> Decision:
        held: int | None = None
        settled: int | None = None
        for node in nodes:
            matched, flip = node(facts, at)
            if matched != decisive:
                if flip is not None and (held is None or flip < held):
                    held = flip
            elif flip is None:
                return decisive, None
            elif settled is None or flip > settled:
                settled = flip
        return (not decisive, held) if settled is None else (decisive, settled)

    return decide
