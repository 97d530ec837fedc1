"""Every command line that the README and the documentation show can be typed: command, options, number of words, target."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from console.app import app
from settings import CHECKOUT

PAGES = [
    CHECKOUT / "README.md",
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *sorted((CHECKOUT / "examples").rglob("*.md")),
]
BLOCK = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
OURS = re.compile(r"(^ *|\$\(|&& |; |\| )(?:\.venv/bin/)?sojourn ((?:[^#\n]|#(?! ))*)")
MADE = re.compile(r"(?:^|`|\s)make ([a-z][a-z-]*)(?=[`\s]|$)", re.MULTILINE)
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ANCHOR = re.compile(r"\]\(((?!https?://)[^)#\s]*)#([^)\s]+)\)")
END = {"|", ">", ">>", "<", "&&", ";", "||", "&", "\\"}


def shown(page: Path) -> Iterator[str]:
    """The commands of a page's blocks, lines that go on put together and quotations over several lines left as begun."""
    for block in BLOCK.findall(page.read_text()):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            for before, found in OURS.findall(line):
                yield (found.split(")")[0] if before == "$(" else found).strip()


def words_of(line: str) -> list[str]:
    """The words of one command, up to what the shell does with it."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    kept: list[str] = []
    for word in words:
        if word in END or word.startswith(("2>", ">", "|")):
            break
        kept.append(word)
    return kept


def complaint(line: str) -> str | None:
    """What is wrong with a command line, as far as it can be told without running it."""
    command: Any = typer.main.get_command(app)
    words = words_of(line)
    while hasattr(command, "commands"):
        if not words or words[0].startswith("-"):
            return None
        name = words.pop(0).split("|")[0]
        if name not in command.commands:
            return f"there is no command {name}"
        command = command.commands[name]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if re.match(r"--?[a-z]", word) and word.split("=")[0] not in options | {"--help"}]
    return f"there is no option {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_command_lines_can_be_typed(page: Path) -> None:
    wrong = {line: said for line in shown(page) if (said := complaint(line)) is not None}
    assert wrong == {}


def test_a_wrong_command_line_is_found() -> None:
    assert complaint("journeys mend") == "there is no command mend"
    assert complaint("journeys list --campain welcome | less") == "there is no option --campain"
    assert complaint("journeys list --campaign welcome | less --quiet") is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_targets_of_make_exist(page: Path) -> None:
    code = "\n".join([*BLOCK.findall(page.read_text()), *re.findall(r"`make [a-z-]+[^`]*`", page.read_text())])
    assert set(MADE.findall(code)) <= set(TARGET.findall((CHECKOUT / "Makefile").read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_into_pages_meet_a_heading(page: Path) -> None:
    missing = []
    for path, anchor in ANCHOR.findall(page.read_text()):
        target = (page.parent / path) if path else page
        if target.suffix == ".md" and anchor not in anchors(target):
            missing.append(f"{path}#{anchor}")
    assert missing == []


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have where it is shown."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(page.read_text())
    }
