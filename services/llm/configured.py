"""Which providers of language models this process may speak to, told once by whoever puts it together."""

from __future__ import annotations

from collections.abc import Collection

_NAMES: set[str] = set()


def configure(names: Collection[str]) -> None:
    """These, and no others, are there."""
    _NAMES.clear()
    _NAMES.update(names)


def is_configured(name: str) -> bool:
    """Whether the deployment can speak to that provider."""
    return name in _NAMES


__all__ = ["configure", "is_configured"]
