"""What stands in the default layout without naming it, and so holds it in place (MSG-16)."""

from __future__ import annotations

from domain.contents import vendor
from domain.definitions import Definition, LayoutDefinition
from domain.definitions.library import Library
from domain.errors import Referent
from domain.problems import pointer_of
from services.emails_said import emails

KIND = "layout"


def referents(library: Library, key: str) -> list[Referent]:
    """The emails that leave their layout out, where this one is what they get: the default, of several the oldest."""
    asked = library.known(KIND, key)
    layouts = {entry.key: entry for entry in (*library.entries, asked) if entry is not None and entry.kind == KIND}
    defaults = [entry for entry in layouts.values() if _is_default(entry.definition)]
    if not defaults or min(defaults, key=lambda entry: entry.id or 0).key != key:
        return []
    return [
        Referent(kind=user.kind, key=user.key, pointer=pointer_of(path))
        for user in library.entries
        if user.definition is not None
        for path, email in emails(user.definition)
        if email.uses_workspace_layout and email.editor not in vendor.EDITORS
    ]


def _is_default(definition: Definition | None) -> bool:
    return isinstance(definition, LayoutDefinition) and definition.default


__all__ = ["KIND", "referents"]
