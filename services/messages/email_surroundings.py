"""What an email takes from its workspace: its sender, its layout, the parameters of its links (MSG-16, MSG-18, MSG-29)."""

from __future__ import annotations

from collections.abc import Sequence

from domain.content import EmailMessage
from domain.definitions.layout import LayoutDefinition
from domain.definitions.sender import SenderDefinition
from ingest.catalog import Catalog, Entry
from rendering.email import Layout, SenderIdentity, Surroundings
from rendering.errors import RenderError

LAYOUTLESS_EDITORS = frozenset({"drag_and_drop", "design_studio"})


def surroundings(catalog: Catalog, message: EmailMessage) -> Surroundings:
    """What an email takes from its workspace; raises RenderError where it names what is not there."""
    layout = None
    if message.editor not in LAYOUTLESS_EDITORS and message.layout is not None:
        own = message.layout_reference
        found = _chosen(catalog, "layout", own) if own is not None else _usual(catalog.layouts)
        if found is not None and isinstance(found.definition, LayoutDefinition):
            layout = Layout(found.id, found.definition.name, found.definition.body)
    return Surroundings(_sender(catalog, message), layout, catalog.settings.url_parameters, inlines_css(message))


def inlines_css(message: EmailMessage) -> bool:
    """Whether the styles of an email are moved to the tags they mean (MSG-29).

    Of one made in the rich-text or the code editor they are, unless it says otherwise: a message that was made while the
    workspace had that switched off does (MSG case 30). A Design Studio email has to ask for it, and what the drag-and-drop
    editor makes is never touched.
    """
    if message.editor == "drag_and_drop":
        return False
    if message.editor == "design_studio":
        return message.css_inlining is True
    return message.css_inlining is not False


def _sender(catalog: Catalog, message: EmailMessage) -> SenderIdentity | None:
    """The message's own sender, else the workspace's default, else the oldest."""
    if message.from_ is not None:
        return None
    if message.sender is not None:
        chosen = _chosen(catalog, "sender", message.sender)
        identity = _identity(chosen)
        if identity is None:
            raise RenderError(f"The sender '{chosen.key}' has no email address", "sender")
        return identity
    identities = [entry for entry in catalog.senders if _identity(entry) is not None]
    entry = _usual(identities) or next(iter(identities), None)
    return None if entry is None else _identity(entry)


def _identity(entry: Entry) -> SenderIdentity | None:
    """The email identity of a sender; None for one that is a telephone number."""
    sender = entry.definition
    if not isinstance(sender, SenderDefinition) or sender.email is None:
        return None
    return SenderIdentity(sender.email, sender.name)


def _usual(entries: Sequence[Entry]) -> Entry | None:
    """The one that says it is the default; of several, the oldest."""
    return next((entry for entry in entries if getattr(entry.definition, "default", False)), None)


def _chosen(catalog: Catalog, kind: str, ref: str | int) -> Entry:
    entry = catalog.find(kind, ref)
    if entry is None:
        raise RenderError(f"There is no {kind} {ref!r}", kind)
    return entry


__all__ = ["LAYOUTLESS_EDITORS", "inlines_css", "surroundings"]
