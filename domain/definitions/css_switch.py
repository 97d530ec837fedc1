"""The workspace's switch for CSS inlining, which counts when a code email is made: later turns of it change nothing (MSG-29)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from domain.definitions.settings import WORKSPACE_KEY

SWITCH: Final = "css_inlining"
_WITH_BLOCKS: Final = frozenset({"campaign", "broadcast"})
Path = tuple[str, ...]
Stored = Mapping[tuple[str, str], Mapping[str, Any]]


def filled(raws: Sequence[tuple[str, Any]], stored: Stored) -> list[tuple[str, Any]]:
    """Incoming documents, given with where they stand, in which code emails say what the switch makes of them.

    One that is new while the switch is off says `css_inlining: false`, unless it says something itself; one that is there
    already and says nothing keeps what it was. While the switch is on nothing needs saying.
    """
    on = _switch(raws, stored)
    return [(pointer, _settled(raw, stored, on=on)) for pointer, raw in raws]


def _switch(raws: Sequence[tuple[str, Any]], stored: Stored) -> bool:
    """How the switch stands once everything incoming is applied."""
    settings: Mapping[str, Any] = stored.get(("settings", WORKSPACE_KEY), {})
    for _, raw in raws:
        if isinstance(raw, Mapping) and raw.get("kind") == "settings":
            settings = raw
    return settings.get(SWITCH) is not False


def _settled(raw: Any, stored: Stored, *, on: bool) -> Any:
    if not isinstance(raw, Mapping):
        return raw
    kind, key = raw.get("kind"), raw.get("key")
    before = stored.get((kind, key)) if isinstance(kind, str) and isinstance(key, str) else None
    known = dict(_code_emails(before)) if before is not None else {}
    for path, message in _code_emails(raw):
        if SWITCH in message:
            continue
        said = known[path].get(SWITCH) if path in known else None if on else False
        if isinstance(said, bool):
            raw = _with(raw, path, {**message, SWITCH: said})
    return raw


def _code_emails(document: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The messages of a document that are made in the code editor, each with its path."""
    for path, channel in _places(document):
        message = _at(document, path)
        if channel == "email" and isinstance(message, Mapping) and message.get("editor", "code") == "code":
            yield path, message


def _places(document: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Where messages stand in a document, and on which channel each is."""
    if document.get("kind") == "transactional":
        yield ("message",), document.get("channel")
    blocks = _at(document, ("workflow", "blocks")) if document.get("kind") in _WITH_BLOCKS else None
    for key, block in blocks.items() if isinstance(blocks, Mapping) else ():
        if isinstance(key, str) and isinstance(block, Mapping):
            for rest in (("message",), ("ab_test", "message")):
                yield ("workflow", "blocks", key, *rest), block.get("type")


def _at(document: Any, path: Path) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _with(document: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    name, *rest = path
    return {**document, name: _with(document[name], tuple(rest), value) if rest else value}


__all__ = ["SWITCH", "filled"]
