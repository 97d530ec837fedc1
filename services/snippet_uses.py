"""Which templates name which snippets: what a snippet holds in place, and names that mean nothing (MSG-15)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from domain.definitions import BroadcastDefinition, CampaignDefinition, Definition, SnippetDefinition
from domain.definitions.campaign_parts import scripts
from domain.definitions.library import Library
from domain.errors import Problem, Referent
from domain.uses import Use
from rendering.snippet_names import names_in

KIND = "snippet"
SELF_REFERENCE = "Snippets cannot contain Liquid code referencing other snippets."
_IN_SCRIPT: Final = re.compile(r"""\bsnippets\s*(?:\??\.\s*([\w$]+)|(?:\?\.)?\s*\[\s*(["'`])(.+?)\2\s*\])""")


def named(definition: Definition) -> Iterator[Use]:
    """The snippets that the templates of a document name; `ref` is the name."""
    for template in definition.templates():
        for name in names_in(template.source):
            yield Use(KIND, name, template.pointer)


def _in_scripts(definition: Definition) -> Iterator[Use]:
    """The snippets that its scripts seem to read; a script is not run to find out."""
    if isinstance(definition, CampaignDefinition | BroadcastDefinition):
        for script in scripts(definition):
            for word, _, text in _IN_SCRIPT.findall(script.source):
                yield Use(KIND, word or text, script.pointer)


def referents(library: Library, key: str) -> list[Referent]:
    """The templates and scripts that name a snippet, by the documents they stand in."""
    entry = library.known(KIND, key)
    snippet = entry.definition if entry is not None else None
    if not isinstance(snippet, SnippetDefinition):
        return []
    return [
        Referent(kind=user.kind, key=user.key, pointer=use.pointer)
        for user in library.entries
        if user.definition is not None
        for use in (*named(user.definition), *_in_scripts(user.definition))
        if use.ref == snippet.name
    ]


def nested(definition: Definition) -> Iterator[Problem]:
    """A snippet whose Liquid reads snippets."""
    if not isinstance(definition, SnippetDefinition):
        return
    for template in definition.templates():
        if any(True for _ in names_in(template.source, unnamed=True)):
            yield Problem(code="liquid_root", pointer=template.pointer, message=SELF_REFERENCE)


def unknown(definition: Definition, library: Library) -> Iterator[Problem]:
    """Names of snippets that are not there: the message fails unless somebody makes them, or they have a `default`."""
    uses = list(named(definition))
    if not uses:
        return
    known = {one.name for one in library.others(KIND, "") if isinstance(one, SnippetDefinition)}
    for use in dict.fromkeys(uses):
        if use.ref not in known:
            message = f"There is no snippet named {use.ref!r}."
            yield Problem(code="unknown_reference", pointer=use.pointer, message=message)


__all__ = ["KIND", "SELF_REFERENCE", "named", "nested", "referents", "unknown"]
