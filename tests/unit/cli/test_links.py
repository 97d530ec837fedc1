"""What the README and the documentation point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.app import app
from settings import CHECKOUT

PAGES = [CHECKOUT / "README.md", CHECKOUT / "CHANGELOG.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|[`\s])(?:\.venv/bin/)?sojourn ([a-z]+(?:-[a-z]+)*)(?: ([a-z]+))?")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def commands() -> dict[str, set[str]]:
    """The commands of the command line, with those below them."""
    found: dict[str, set[str]] = {}
    for command in app.registered_commands:
        assert command.callback is not None
        found[command.name or command.callback.__name__] = set()
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found[str(group.name)] = {str(command.name) for command in group.typer_instance.registered_commands}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_commands_that_are_shown_exist(page: Path) -> None:
    known = commands()
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text(), flags=re.DOTALL))
    for name, below in COMMAND.findall(code):
        assert name in known, f"sojourn {name}"
        assert not known[name] or below in known[name] | {""}, f"sojourn {name} {below}"
