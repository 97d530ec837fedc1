"""Snippets: texts and JSON values of a workspace that templates read, rendered for the recipient when they are read (MSG-15)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from domain.values import read_json
from rendering.printing import Worded, printed

Render = Callable[[str, str], str]
"""Makes the text of a snippet, given its name, from what stands in it."""


class Snippets(Mapping[str, Any]):
    """The snippets of a workspace as they are stored; what is read here is data, or text in which Liquid still is Liquid.

    The values are texts or JSON; a text that says a JSON object or array is that.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._stored = dict(values or {})
        self._data: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._data:
            self._data[name] = _meant(self._stored[name])
        return self._data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def written(self, name: str) -> str:
        """The text of a snippet as it is stored."""
        value = self._stored[name]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def read_by(self, render: Render) -> Mapping[str, Any]:
        """The snippets of one render, each made when it is first asked for."""
        return _Reading(self, render)


def _meant(value: Any) -> Any:
    """The object or array that a text says, or the value itself."""
    said = isinstance(value, str) and value.lstrip().startswith(("{", "["))
    return _read(value) if said else value


@lru_cache(maxsize=256)
def _read(text: str) -> Any:
    try:
        found = read_json(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, dict | list) else text


class _Reading(Mapping[str, Any]):
    """The snippets of one render."""

    def __init__(self, snippets: Snippets, render: Render) -> None:
        self._snippets = snippets
        self._render = render
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name, self._snippets[name])
        return self._made[name]

    def _make(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return _rendered(name, value, self._render)
        if isinstance(value, dict):
            return _WholeObject(name, value, self._render, self._snippets.written(name))
        return _WholeArray(value, self._snippets.written(name)) if isinstance(value, list) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._snippets)

    def __len__(self) -> int:
        return len(self._snippets)

    def __str__(self) -> str:
        return printed(dict(self))


class _WholeArray(list[Any], Worded):
    """A JSON array: Liquid in it is text like any other."""

    def __init__(self, items: list[Any], written: str) -> None:
        super().__init__(items)
        self._written = written

    def worded(self) -> str:
        """The array as it is stored."""
        return self._written


class _Object(dict[str, Any]):
    """A JSON object, or one inside it, whose texts are rendered when they are read."""

    def __init__(self, name: str, items: Mapping[str, Any], render: Render) -> None:
        super().__init__(items)
        self._name = name
        self._render = render

    def __getitem__(self, key: str) -> Any:
        return self._rendered(super().__getitem__(key))

    def items(self) -> Any:
        """Keys and rendered values."""
        return self._all().items()

    def values(self) -> Any:
        """The rendered values."""
        return self._all().values()

    def _all(self) -> dict[str, Any]:
        return {key: self._rendered(value) for key, value in super().items()}

    def _rendered(self, value: Any) -> Any:
        if isinstance(value, str):
            return _rendered(self._name, value, self._render)
        return _Object(self._name, value, self._render) if isinstance(value, dict) else value


class _WholeObject(_Object, Worded):
    """The object that a snippet is."""

    def __init__(self, name: str, items: Mapping[str, Any], render: Render, written: str) -> None:
        super().__init__(name, items, render)
        self._written = written

    def worded(self) -> str:
        """The object as it is stored, rendered."""
        return _rendered(self._name, self._written, self._render)


def _rendered(name: str, text: str, render: Render) -> str:
    return render(name, text) if "{{" in text or "{%" in text else text


__all__ = ["Snippets"]
