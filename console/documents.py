"""Definitions in files: which documents a folder holds, and where in which file each field of one stands."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from console.failure import Failure
from domain.errors import DomainError
from domain.problems import split_pointer
from services.documents_io import load_yaml

ENDINGS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Source:
    """One document: its file, what it says, and its syntax tree, which knows the lines."""

    file: Path
    value: Any
    node: Node

    @property
    def title(self) -> str:
        """What the document calls itself."""
        if not isinstance(self.value, dict):
            return "a document"
        return f"{self.value.get('kind', 'a document')} {self.value.get('key', '')}".strip()

    def place(self, pointer: str = "") -> str:
        """File and line of the field a JSON Pointer names, or of the nearest thing around it that is there."""
        return f"{self.file}:{_line(self.node, split_pointer(pointer))}"


def read_sources(where: Path) -> list[Source]:
    """Every document of a file, or of the YAML and JSON files in a folder and below it, in order of their names."""
    if not where.exists():
        raise Failure(f"There is no {where}.", "Give a folder of YAML files, such as `examples/shop`.")
    files = [where] if where.is_file() else sorted(path for path in where.rglob("*") if _holds_documents(path, where))
    sources = [source for file in files for source in _documents(file)]
    if not sources:
        raise Failure(f"There are no documents in {where}.", f"Files with definitions end in {', '.join(ENDINGS)}.")
    return sources


def _holds_documents(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.is_file() and path.suffix in ENDINGS and not hidden


def _documents(file: Path) -> list[Source]:
    try:
        body = file.read_bytes()
        values = load_yaml(body) if file.suffix != ".json" else [json.loads(body)]
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.") from None
    except (DomainError, ValueError) as error:
        raise Failure(f"{file}: {error}") from None
    stream = io.StringIO(body.decode("utf-8-sig"))
    nodes = [node for node in YAML(typ="safe", pure=True).compose_all(stream) if not _is_empty(node)]
    return [Source(file, value, node) for value, node in zip(values, nodes, strict=True)]


def _is_empty(node: Node | None) -> bool:
    """Whether a document says nothing, so that it is none."""
    return node is None or (isinstance(node, ScalarNode) and str(node.tag) == "tag:yaml.org,2002:null")


def _line(node: Node, path: Sequence[str]) -> int:
    line = int(node.start_mark.line) + 1
    for step in path:
        found = _below(node, step)
        if found is None:
            break
        line, node = found
    return line


def _below(node: Node, step: str) -> tuple[int, Node] | None:
    """The line and the node of one item or field."""
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if name.value == step:
                return name.start_mark.line + 1, value
    elif isinstance(node, SequenceNode) and step.isdecimal() and int(step) < len(node.value):
        item = node.value[int(step)]
        return item.start_mark.line + 1, item
    return None
