"""What `uv.lock` installs for production, and what of this environment is not among it."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from typing import Any

from settings import CHECKOUT


def production() -> set[str]:
    """The distributions that `uv sync --no-default-groups` installs, the project left out."""
    packages = {package["name"]: package for package in _lock()["package"]}
    wanted: list[tuple[str, tuple[str, ...]]] = [("sojourn", ())]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while wanted:
        name, extras = found = wanted.pop()
        if found in seen:
            continue
        seen.add(found)
        package = packages[name]
        needed = list(package.get("dependencies", []))
        for extra in extras:
            needed += package.get("optional-dependencies", {}).get(extra, [])
        wanted += [(each["name"], tuple(each.get("extra", ()))) for each in needed]
    return {name for name, _ in seen} - {"sojourn"}


def refused_modules() -> set[str]:
    """The names under which this environment could import what production does not have."""
    kept = production()
    owners = importlib.metadata.packages_distributions()
    return {
        module
        for module, names in owners.items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in names} & (kept | {"sojourn"})
    }


def _lock() -> dict[str, Any]:
    return tomllib.loads((CHECKOUT / "uv.lock").read_text())
