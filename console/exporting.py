"""`export definitions`: the documents of a workspace as YAML, printed, or in one file each."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from console.failure import Failure
from console.session import Session
from console.words import number
from domain.diff import MASK
from services.documents_io import dump_yaml

_ENDING = ".yaml"


def export_bundle(session: Session, *, kinds: Sequence[str], source: str | None, to: Path | None, view: str) -> None:
    """Print the documents, or write each into a file that says the same whenever nothing has changed."""
    bundle = session.api.get("/v1/definitions", kind=kinds or None, source=source, view=view)
    documents = bundle["definitions"]
    if to is not None:
        _written(session, documents, kinds, to)
    elif not session.shown(bundle):
        sys.stdout.write(dump_yaml(documents))


def _written(session: Session, documents: Sequence[dict[str, Any]], kinds: Sequence[str], to: Path) -> None:
    files = {Path(document["kind"]) / f"{document['key']}{_ENDING}": document for document in documents}
    report: dict[str, list[str]] = {"written": [], "unchanged": [], "other": _others(to, kinds, files)}
    try:
        for name, document in files.items():
            changed = _write(to / name, dump_yaml([document]))
            report["written" if changed else "unchanged"].append(str(name))
    except OSError as error:
        raise Failure(f"{error.filename or to} cannot be written: {error.strerror}.") from None
    if session.shown(report):
        return
    console = session.console
    for other in report["other"]:
        console.print(f"{to / other} is of no document that was exported; it stays as it is.", style="yellow")
    masked = [f"{document['kind']} {document['key']}" for document in documents if _has_mask(document)]
    if masked:
        message = "has secrets, exported as" if len(masked) == 1 else "have secrets, exported as"
        console.print(
            f"{', '.join(masked)} {message} {MASK}; applied here again, they stay as they are.", style="yellow"
        )
    written, same = len(report["written"]), len(report["unchanged"])
    console.print(f"{number(len(files), 'document')} in {to}: {written} written, {same} as before.", style="green")


def _write(file: Path, text: str) -> bool:
    """Write a file unless it says this already; whether it was written."""
    if file.is_file() and file.read_bytes() == text.encode():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
    return True


def _others(to: Path, kinds: Sequence[str], files: Mapping[Path, Any]) -> list[str]:
    """Files that stand where documents of these kinds do and are none of those exported."""
    wanted = set(kinds) or {str(name.parent) for name in files}
    found = [path.relative_to(to) for kind in sorted(wanted) for path in sorted((to / kind).glob(f"*{_ENDING}"))]
    return [str(path) for path in found if path not in files]


def _has_mask(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_mask(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_mask(item) for item in value)
    return isinstance(value, str) and MASK in value


__all__ = ["export_bundle"]
