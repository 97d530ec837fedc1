"""Which figures, by which labels, an expression of Prometheus asks for; and what the documentation says there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from settings import CHECKOUT

ROOMS = ("activities", "api", "channels", "ingest", "rendering", "services", "store", "telemetry", "workflows")
PAGE = CHECKOUT / "docs" / "observability.md"
EVERYWHERE = frozenset({"job", "instance"})
"""Labels that Prometheus adds."""
FOREIGN = {
    "up": frozenset(),
    "process_cpu_seconds_total": frozenset(),
    "process_resident_memory_bytes": frozenset(),
}
"""Figures of Prometheus and of its client library."""
_SELECTOR = re.compile(r"\b((?:sojourn|temporal|process)_[a-z_]+|up)\s*(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"[^\"]*\"")
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_ROW = re.compile(r"^\| `((?:sojourn|temporal)_\w+)` \| (\w+)(, `tasks`)? \|([^|]*)\|([^|]+)\|([^|]*)\|$", re.MULTILINE)


class Documented(NamedTuple):
    """A row of the page."""

    kind: str
    labels: tuple[str, ...]
    in_database: bool
    meaning: str
    worry: str


def product_files() -> list[Path]:
    """The code that runs in processes of the product."""
    return [*CHECKOUT.glob("*.py"), *(path for room in ROOMS for path in (CHECKOUT / room).rglob("*.py"))]


def documented() -> dict[str, Documented]:
    """The figures that the page describes."""
    found: dict[str, Documented] = {}
    for name, kind, tasks, labels, meaning, worry in _ROW.findall(PAGE.read_text()):
        assert name not in found, f"{name} is described twice"
        names = tuple(label.strip().strip("`") for label in labels.split(",") if label.strip())
        found[name] = Documented(kind, names, bool(tasks), meaning.strip(), worry.strip())
    return found


def asked(expression: str) -> dict[str, set[str]]:
    """The figures of an expression, each with the labels that it is chosen by."""
    return {name: set(_MATCHER.findall(matchers)) for name, matchers in _SELECTOR.findall(expression)}


def grouped(expression: str) -> set[str]:
    """The labels that an expression groups by."""
    return {label.strip() for labels in _GROUPED.findall(expression) for label in labels.split(",") if label.strip()}


def faults(expression: str, known: dict[str, frozenset[str]]) -> list[str]:
    """What is wrong with an expression, given the figures that there are with their labels."""
    found = []
    allowed: set[str] = set(EVERYWHERE)
    for name, labels in asked(expression).items():
        base = name.removesuffix("_bucket")
        if base not in known:
            found.append(f"there is no {name}")
            continue
        here = known[base] | EVERYWHERE | ({"le"} if base != name else set())
        allowed |= here
        found += [f"{name} has no label {label}" for label in labels - here]
    return found + [f"nothing has the label {label}" for label in grouped(expression) - allowed]


__all__ = ["FOREIGN", "PAGE", "Documented", "asked", "documented", "faults", "grouped", "product_files"]
