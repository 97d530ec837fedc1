"""Comparisons on one record: an event's data, an object, a row. A list means all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from domain.facts import Facts
from domain.operators import Decision, Operator, parse_comparison
from domain.trees import Leaf, Location, Node, Reader, decide_tree, dump_tree, leaves


def _read_leaf(raw: Any) -> tuple[Location, Callable[[], Operator]]:
    return (), partial(parse_comparison, raw)


@dataclass(frozen=True)
class Where:
    """A boolean tree of comparisons on one record, usable as a pydantic field type; canonical both ways."""

    root: Node[Operator]

    @classmethod
    def parse(cls, raw: Any) -> Self:
        """The Where that a wire value means; raises ValidationError."""
        return raw if isinstance(raw, cls) else cls(Reader(_read_leaf, "where").read(raw))

    def dump(self) -> Any:
        """The canonical wire form."""
        return dump_tree(self.root, lambda test: test.model_dump(mode="json"))

    def comparisons(self) -> Iterator[Leaf[Operator]]:
        """Every comparison, with the JSON Pointer at which it was written below the Where."""
        return leaves(self.root)

    @cached_property
    def clock(self) -> bool:
        """Whether the clock alone can change the answer."""
        return any(leaf.body.clock for leaf in self.comparisons())

    @cached_property
    def customer_attributes(self) -> frozenset[str]:
        """The person's attributes that operands are looked up in."""
        found: frozenset[str] = frozenset()
        for leaf in self.comparisons():
            for lookup in leaf.body.lookups:
                if lookup.root == "customer":
                    found |= lookup.path.keys
        return found

    def decide(self, record: Mapping[str, Any], facts: Facts, now: int) -> Decision:
        """Whether the record fits, at a whole Unix second; lookups read `facts`."""
        root = self.root
        if isinstance(root, Leaf):
            return root.body.decide(record, facts, now)
        matched, flip, _ = decide_tree(root, lambda test: test.decide(record, facts, now))
        return matched, flip

    def describe(self) -> str:
        """The comparisons in words."""
        return ", ".join(leaf.body.words for leaf in self.comparisons())

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(cls.dump)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        node = {"type": "object", "description": "A comparison, or one of and, or, not."}
        return {"title": "Where", "oneOf": [node, {"type": "array", "minItems": 1, "items": node}]}
