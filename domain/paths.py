"""Addresses of values inside JSON records: `a.b`, `a[0]`, `a[]` any element, `a?` array or single value (PPL-34)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(
    r"""(?P<dot>\.?)(?P<name>[^.\[\]?]+)|\[(?P<index>[0-9]{0,9})\]|(?P<maybe>\?)|\[(?P<quote>["'])(?P<quoted>.*?)(?P=quote)\]"""
)


@dataclass(frozen=True, slots=True)
class _Each:
    """Any element of an array; with `single`, of a lone value too."""

    single: bool = False


_Step = str | int | _Each


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path. `steps` is empty where the text can only be an exact key."""

    text: str
    steps: tuple[_Step, ...]

    @property
    def top(self) -> str:
        """The top-level key the path starts at."""
        return self.steps[0] if self.steps and isinstance(self.steps[0], str) else self.text

    @property
    def keys(self) -> frozenset[str]:
        """The top-level keys whose change can change what the path reads: the whole text and its first name."""
        return frozenset((self.text, self.top))

    def read(self, record: Mapping[str, Any]) -> Sequence[Any]:
        """Every value at the path, none where nothing is there; a key equal to the whole text comes first."""
        if self.text in record:
            return (record[self.text],)
        if not self.steps:
            return ()
        found: list[Any] = [record]
        last = len(self.steps) - 1
        for number, step in enumerate(self.steps):
            if isinstance(step, str):
                found = [value[step] for value in found if isinstance(value, Mapping) and step in value]
            elif isinstance(step, int):
                found = [value[step] for value in found if isinstance(value, list) and step < len(value)]
            elif number == last:
                found = [leaf for value in found if _many(value, step) for leaf in _leaves(value)]
            else:
                found = [item for value in found if _many(value, step) for item in _elements(value)]
            if not found:
                return ()
        return found


def _many(value: Any, step: _Each) -> bool:
    return step.single or isinstance(value, list)


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _leaves(value: Any) -> Iterator[Any]:
    """Every scalar at any depth below a value, or the scalar itself."""
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    else:
        yield value


@lru_cache(maxsize=8_192)
def compile_path(text: str) -> Path:
    """The path a text means; a text that is no path (`a..b`, `a[x]`) can still be an exact key."""
    steps: list[_Step] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or not _fits(token, steps):
            return Path(text, ())
        steps.append(_step(token))
        position = token.end()
    return Path(text, () if steps == [text] else tuple(steps))


def _fits(token: re.Match[str], steps: list[_Step]) -> bool:
    """A name stands at the start without a dot and elsewhere after one; marks follow something."""
    if token["name"] is not None:
        return bool(token["dot"]) == bool(steps)
    return bool(steps) or token["quoted"] is not None


def _step(token: re.Match[str]) -> _Step:
    if token["name"] is not None:
        return token["name"]
    if token["quoted"] is not None:
        return token["quoted"]
    if token["maybe"]:
        return _Each(single=True)
    return int(token["index"]) if token["index"] else _Each()
