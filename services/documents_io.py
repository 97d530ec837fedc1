"""Definitions as YAML files: YAML 1.2 with the core schema in, and a form that reads back the same out.

Only what JSON can say is accepted: no anchors, no aliases, no tags but `!!str`, every key once.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from domain.errors import DomainError
from domain.values import MAX_NESTING, check_json

MAX_BYTES: Final = 4_000_000
_NULL = re.compile(r"(?:null|Null|NULL|~|)")
_TRUE = re.compile(r"(?:true|True|TRUE)")
_FALSE = re.compile(r"(?:false|False|FALSE)")
_INT = re.compile(r"[-+]?[0-9]{1,400}")
_OCTAL = re.compile(r"0o[0-7]{1,400}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,400}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_OLD_DIALECT = re.compile(
    r"(?i:y|n|yes|no|on|off)|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[-+]?[0-9._,e+-]+|=|<<"
)
_PLAIN_LINES = re.compile(r"(?:[^\s\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029][^\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029]*)?")
_INT64 = 2**63


def load_yaml(body: bytes) -> list[Any]:
    """The JSON values of the documents in a YAML stream, empty documents left out; raises DomainError `invalid_yaml`."""
    if len(body) > MAX_BYTES:
        raise DomainError("invalid_yaml", f"The YAML is larger than {MAX_BYTES} bytes; split it, or send JSON.")
    try:
        text = body.decode("utf-8-sig")
        documents = [
            value for value in _Reader(YAML(typ="safe", pure=True).parse(text)).documents() if value is not None
        ]
    except UnicodeDecodeError as error:
        raise DomainError("invalid_yaml", f"The body is not UTF-8: {error.reason} at byte {error.start}.") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise DomainError("invalid_yaml", f"Not valid YAML: {error.problem}{where}.") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise DomainError("invalid_yaml", f"Not valid YAML: {error}.") from None
    for document in documents:
        check_json(document)
    return documents


def dump_yaml(documents: Sequence[Any]) -> str:
    """A YAML stream of JSON values that reads back the same here, and in YAML 1.1 readers as far as texts go."""
    writer = YAML(typ="rt", pure=True)
    writer.Representer = _Representer
    writer.default_flow_style = False
    writer.width = 120
    writer.explicit_start = len(documents) > 1
    stream = io.StringIO()
    for document in documents:
        writer.dump(document, stream)
    return stream.getvalue().removesuffix("...\n")


class _Reader:
    """Builds JSON values from the events of a stream, one document after the other."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events

    def documents(self) -> Iterator[Any]:
        """The value of each document."""
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                yield self._value(next(self._events), 0)

    def _value(self, event: Event, depth: int) -> Any:
        if isinstance(event, AliasEvent):
            raise _refusal(event, "aliases (*) are not accepted: write the value out")
        if getattr(event, "anchor", None) is not None:
            raise _refusal(event, "anchors (&) are not accepted: write the value out where it is needed")
        if depth > MAX_NESTING:
            raise _refusal(event, f"nested more than {MAX_NESTING} levels deep")
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if getattr(event, "tag", None) is not None and not getattr(event, "implicit", True):
            raise _refusal(event, "tags (!) are not accepted")
        if isinstance(event, SequenceStartEvent):
            return list(self._items(depth))
        assert isinstance(event, MappingStartEvent), "nothing else begins a value"
        return self._mapping(depth)

    def _items(self, depth: int) -> Iterator[Any]:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise _refusal(event, "a key has to be a text")
            if event.anchor is not None:
                raise _refusal(event, "anchors (&) are not accepted: write the value out where it is needed")
            # A key is text, however it looks: JSON has no other, and `no` is a language.
            key = str(event.value)
            if key in mapping:
                raise _refusal(event, f"the key '{key}' stands twice in the same place")
            mapping[key] = self._value(next(self._events), depth + 1)
        return mapping

    def _scalar(self, event: ScalarEvent) -> Any:
        plain, quoted = event.implicit
        if plain:
            return _resolved(str(event.value), event)
        if quoted or str(event.tag) == "tag:yaml.org,2002:str":
            return str(event.value)
        raise _refusal(event, "tags (!) are not accepted, except !!str")


def _refusal(event: Event, problem: str) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _resolved(text: str, event: Event) -> Any:
    """What a plain scalar is in the core schema."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            number = int(text if base == 10 else text[2:], base)
            # As in JSON bodies, larger integers become floats.
            return (
                number
                if -_INT64 <= number < 2 * _INT64
                else _finite(float(number) if number < 10**308 else math.inf, event)
            )
    if _FLOAT.fullmatch(text):
        return _finite(float(text), event)
    if _NOT_FINITE.fullmatch(text):
        raise _refusal(event, "numbers must be finite")
    return text


def _finite(number: float, event: Event) -> float:
    if not math.isfinite(number):
        raise _refusal(event, "numbers must be finite")
    return number


class _Representer(RoundTripRepresenter):
    """Texts that some reader could take for something else are quoted; texts of several lines stand as blocks."""

    def represent_text(self, text: str) -> ScalarNode:
        """The node of a text."""
        style = None
        lines = text.split("\n")
        if len(lines) > 1 and text.strip() and all(_PLAIN_LINES.fullmatch(line) for line in lines):
            style = "|"
        elif _OLD_DIALECT.fullmatch(text) or not _is_text(text):
            style = "'"
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_text(text: str) -> bool:
    patterns = (_NULL, _TRUE, _FALSE, _INT, _OCTAL, _HEX, _FLOAT, _NOT_FINITE)
    return not any(pattern.fullmatch(text) for pattern in patterns)


_Representer.add_representer(str, _Representer.represent_text)
