"""What `Dockerfile` and `.dockerignore` say: stages, instructions, and the files that an image would hold."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from settings import CHECKOUT


class Instruction(NamedTuple):
    """One line of a Dockerfile, continued lines joined."""

    name: str
    text: str

    def words(self) -> list[str]:
        """Its arguments, options left out."""
        return [word for word in shlex.split(self.text) if not word.startswith("--")]


class Stage(NamedTuple):
    """What follows one `FROM`."""

    base: str
    name: str
    instructions: list[Instruction]

    def all(self, name: str) -> list[Instruction]:
        """Every instruction of this name."""
        return [instruction for instruction in self.instructions if instruction.name == name]

    def environment(self) -> dict[str, str]:
        """What `ENV` sets."""
        pairs = [word for instruction in self.all("ENV") for word in instruction.words()]
        return dict(pair.split("=", 1) for pair in pairs)


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found: list[Stage] = []
    for line in joined.splitlines():
        name, _, rest = line.partition(" ")
        if name == "FROM":
            base, _, alias = rest.partition(" AS ")
            found.append(Stage(base, alias, []))
        else:
            found[-1].instructions.append(Instruction(name, rest.strip()))
    return found


def dockerfile() -> list[Stage]:
    """The stages of the product's own."""
    return stages((CHECKOUT / "Dockerfile").read_text())


class Ignored:
    """The rules of `.dockerignore`: the last that fits a path, or a folder above it, decides."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self._rules = [(_pattern(line.removeprefix("!")), not line.startswith("!")) for line in lines]

    def __call__(self, path: str) -> bool:
        """Whether a path of the checkout stays out of the build."""
        parts = path.split("/")
        above = ["/".join(parts[: size + 1]) for size in range(len(parts))]
        out = False
        for pattern, excludes in self._rules:
            if any(pattern.fullmatch(each) for each in above):
                out = excludes
        return out


def _pattern(text: str) -> re.Pattern[str]:
    """Go's `filepath.Match` with `**`, as Docker reads it."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", text.strip("/"))
    return re.compile("".join(words.get(piece, re.escape(piece)) for piece in pieces))


def dockerignore() -> Ignored:
    """The product's own rules."""
    return Ignored((CHECKOUT / ".dockerignore").read_text())


def copied() -> Iterator[tuple[str, str]]:
    """Every source and place of the builder's `COPY` lines."""
    for instruction in dockerfile()[0].all("COPY"):
        *sources, place = instruction.words()
        yield from ((source, place) for source in sources)


def build(folder: Path) -> None:
    """Lay out what the builder's `COPY` lines bring, less what `.dockerignore` keeps out and the builder removes."""
    out = dockerignore()

    def left(directory: str, names: list[str]) -> list[str]:
        here = Path(directory).relative_to(CHECKOUT)
        return [name for name in names if out((here / name).as_posix())]

    for source, place in copied():
        assert not out(source), f".dockerignore keeps out {source}, which the Dockerfile copies."
        origin, target = CHECKOUT / source, folder / place
        if origin.is_dir():
            shutil.copytree(origin, target, ignore=left)
        else:
            shutil.copy(origin, target if place != "./" else folder / origin.name)
    for name in removed():
        (folder / name).unlink()


def removed() -> list[str]:
    """What the builder removes after it has used it."""
    commands = [part.split() for line in dockerfile()[0].all("RUN") for part in line.text.split("&&")]
    return [name for command in commands if command[:1] == ["rm"] for name in command[1:]]
