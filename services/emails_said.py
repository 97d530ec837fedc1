"""The emails that a document says, and what none of them goes without (MSG-01, MSG-35)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.blocks import MessageBlock
from domain.content import EmailMessage
from domain.contents.translated import LANGUAGES
from domain.definitions import AutomationDefinition, Definition, TransactionalDefinition
from domain.errors import Problem
from domain.problems import pointer_of


def emails(definition: Definition) -> Iterator[tuple[tuple[str, ...], EmailMessage]]:
    """Every email of a document with its path: of its blocks, the arms of their tests included, or the one that it is."""
    if isinstance(definition, TransactionalDefinition) and isinstance(definition.content, EmailMessage):
        yield ("message",), definition.content
    if not isinstance(definition, AutomationDefinition):
        return
    for key, block in definition.workflow.blocks.items():
        if isinstance(block, MessageBlock):
            for path, arm in zip((("message",), ("ab_test", "message")), block.arms, strict=False):
                if isinstance(arm.content, EmailMessage):
                    yield ("workflow", "blocks", key, *path), arm.content


def blank_subjects(definition: Definition) -> Iterator[Problem]:
    """Emails without a subject, in whichever language."""
    for at, email in emails(definition):
        said = [
            (at, email.subject),
            *(((*at, LANGUAGES, code), one.subject) for code, one in (email.languages or {}).items()),
        ]
        for path, subject in said:
            if not subject.strip():
                yield Problem(
                    code="required", pointer=pointer_of((*path, "subject")), message="subject can not be blank"
                )


__all__ = ["blank_subjects", "emails"]
