"""The fields of log lines are documented, and named alike everywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.promql import PAGE, product_files

ALWAYS = {"time", "level", "logger", "message", "exception", "trace_id"}
SPREAD = {"_ids(input)": {"workspace", "task", "broadcast", "trigger", "journey", "block", "why"}}
"""What is bound by a function's answer."""


def documented() -> set[str]:
    """The fields of the page."""
    part = re.search(r"<!-- fields -->(.*)<!-- fields end -->", PAGE.read_text(), re.DOTALL)
    assert part is not None
    rows = [line.split("|")[1] for line in part[1].splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def logged() -> set[str]:
    """The fields that code may write."""
    found: set[str] = set()
    for path in product_files():
        text = path.read_text()
        if "logger." not in text and "bound(" not in text:
            continue
        tree = ast.parse(text)
        for function in [
            tree,
            *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)),
        ]:
            found.update(_of(function))
    return found


def _of(function: ast.AST) -> Iterator[str]:
    assigned = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and node.value is not None
    }
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "bound":
            yield from (word.arg for word in node.keywords if word.arg is not None)
        if name in ("debug", "info", "warning", "error", "exception", "log"):
            for word in node.keywords:
                if word.arg == "extra":
                    yield from _keys(word.value, assigned)


def _keys(value: ast.expr, assigned: dict[str, ast.expr]) -> Iterator[str]:
    match value:
        case ast.Dict():
            for key, inner in zip(value.keys, value.values, strict=True):
                if key is None:
                    yield from _keys(inner, assigned)
                else:
                    assert isinstance(key, ast.Constant)
                    yield str(key.value)
        case ast.Name() if value.id in assigned:
            yield from _keys(assigned[value.id], assigned)
        case ast.IfExp():
            yield from _keys(value.body, assigned)
            yield from _keys(value.orelse, assigned)


def test_every_field_that_may_be_written_is_documented_and_no_other():
    assert logged() | ALWAYS | SPREAD["_ids(input)"] == documented()
