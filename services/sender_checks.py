"""Whose name mail may go out under: that of a sending domain of the workspace (MSG-18, MSG-19).

An address belongs to a registered domain where its domain is that one or lies below it. A sandbox without any sending domain
takes every address, so that trying things out needs none. Records of the name service are not asked: they only report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from domain.blocks import MessageBlock
from domain.content import EmailMessage
from domain.definitions.automation import AutomationDefinition
from domain.definitions.base import Definition
from domain.definitions.domain import DomainDefinition
from domain.definitions.library import Library
from domain.definitions.sender import SenderDefinition
from domain.errors import Problem, Referent
from domain.problems import pointer_of
from domain.sending_domains import NOT_OURS, domain_of, nearest
from ingest.catalog import Catalog

_LIQUID = ("{{", "{%")


def may_send_from(catalog: Catalog, address: str) -> bool:
    """Whether mail of the workspace may be from this address, given bare or in angle brackets after a name."""
    return _allowed(sending_domains(catalog), address, sandbox=catalog.workspace.sandbox)


def sending_domains(catalog: Catalog) -> list[str]:
    """The names of the workspace's sending domains."""
    return _names(entry.definition for entry in catalog.domains)


def sender_problems(automation: AutomationDefinition, library: Library, *, sandbox: bool) -> Iterator[Problem]:
    """The emails whose sender is known beforehand and is of no sending domain; what is made by Liquid shows when it is."""
    registered = _names(library.others("domain", ""))
    for key, block in automation.workflow.blocks.items():
        if not isinstance(block, MessageBlock) or block.type != "email":
            continue
        for path, arm in zip((("message",), ("ab_test", "message")), block.arms, strict=False):
            if arm.holdout or arm.sending_state == "off" or not isinstance(arm.content, EmailMessage):
                continue
            field, address = _sender_of(arm.content, library)
            if address is not None and not _allowed(registered, address, sandbox=sandbox):
                message = f"Register a sending domain for '{address}': the {NOT_OURS}."
                pointer = pointer_of(("workflow", "blocks", key, *path, *field))
                yield Problem(code="sender_not_verified", pointer=pointer, message=message, stage="start")


def senders_within(library: Library, domain: DomainDefinition) -> list[Referent]:
    """The senders and emails that would have no sending domain any more without this one."""
    if domain.use != "sending":
        return []
    rest = [name for name in _names(library.others("domain", "")) if name != domain.domain]

    def only_here(address: str | None) -> bool:
        if address is None or _is_liquid(address):
            return False
        return nearest(domain_of(address), [domain.domain]) is not None and nearest(domain_of(address), rest) is None

    found: list[Referent] = []
    for entry in library.entries:
        known = entry.definition
        if isinstance(known, SenderDefinition) and only_here(known.email):
            found.append(Referent(kind=entry.kind, key=entry.key, pointer="/email"))
        elif known is not None:
            written = [template for template in known.templates() if template.pointer.endswith("/message/from")]
            found += [
                Referent(kind=entry.kind, key=entry.key, pointer=template.pointer)
                for template in written
                if only_here(template.source)
            ]
    return found


def _sender_of(message: EmailMessage, library: Library) -> tuple[tuple[str, ...], str | None]:
    """Where an email says who it is from, and the address; None where that shows only when it is made, or is missing."""
    if message.from_ is not None:
        return ("from",), None if _is_liquid(message.from_) else message.from_
    if message.sender is not None:
        chosen = library.find("sender", message.sender)
        return ("sender",), _static(chosen.definition if chosen is not None else None)
    senders = [sender for sender in library.others("sender", "") if isinstance(sender, SenderDefinition)]
    identities = [sender for sender in senders if sender.email is not None]
    usual = next((sender for sender in identities if sender.default), None) or next(iter(identities), None)
    return (), _static(usual)


def _static(sender: Definition | None) -> str | None:
    email = sender.email if isinstance(sender, SenderDefinition) else None
    return None if email is None or _is_liquid(email) else email


def _is_liquid(text: str) -> bool:
    return any(mark in text for mark in _LIQUID)


def _names(definitions: Iterable[Definition]) -> list[str]:
    return [one.domain for one in definitions if isinstance(one, DomainDefinition) and one.use == "sending"]


def _allowed(registered: Collection[str], address: str, *, sandbox: bool) -> bool:
    if not registered:
        return sandbox
    return nearest(domain_of(address), registered) is not None


__all__ = ["may_send_from", "sender_problems", "senders_within", "sending_domains"]
