"""A transactional send as an automation of one block: the template with what the call says in its place (CHN-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from domain.content import EmailMessage, SentEmail
from domain.contents.base import Content
from domain.contents.translated import LANGUAGES
from domain.definitions.transactional import CONTENTS, MESSAGE, SingleMessage, TransactionalDefinition
from ingest.catalog import Campaign, Catalog
from store.deliveries import DeliveryRow

UNCATEGORIZED_NAME = "Uncategorized"
_SHAPES: Mapping[str, type[EmailMessage | Content]] = {**CONTENTS, "email": SentEmail}
"""The shape of one send by channel."""
_TRACKING = ("open_tracking", "link_tracking")


def automation_of(catalog: Catalog, row: DeliveryRow, request: Mapping[str, Any]) -> Campaign | None:
    """What delivers the send as things stand now; None where its template is gone, or says nothing with these overrides.

    Of `request` it reads `content` (fields of the channel's message that take the place of the template's) and, where the
    call said them, `send_to_unsubscribed`, `queue_draft`, `tracked` and `disable_message_retention`.
    """
    entry = None if row.transactional_id is None else catalog.find("transactional", row.transactional_id)
    template = entry.definition if entry is not None else None
    if not isinstance(template, TransactionalDefinition):
        template = None
    hidden = is_hidden(template, request)
    tracked = False if hidden else request.get("tracked")
    overrides = dict(request.get("content") or {})
    if isinstance(tracked, bool):
        known = _SHAPES[row.channel].model_fields
        overrides |= {name: tracked for name in _TRACKING if name in known}
    if row.channel == "email" and (template is None or template.content is None):
        # A message that is made by its call is made while the switch stands as it stands now (MSG-29).
        overrides.setdefault("css_inlining", catalog.settings.css_inlining)
    content = content_of(template, row.channel, overrides)
    if content is None:
        return None
    key = template.key if template is not None else "uncategorized"
    name = template.name if template is not None else UNCATEGORIZED_NAME
    unsubscribed = _flag(request, "send_to_unsubscribed", template.send_to_unsubscribed if template else True)
    single = SingleMessage(
        key,
        name,
        row.channel,
        content,
        subscription="everyone" if unsubscribed else "subscribed",
        drafted=_flag(request, "queue_draft", template.queue_drafts if template else False),
        hidden=hidden,
        lenient=template is not None and template.on_liquid_error == "blank",
    )
    return Campaign(
        id=row.transactional_id or 0,
        key=key,
        name=name,
        state="running",
        version=1,
        definition=single,
        actions={MESSAGE: row.transactional_id or 0},
        removed_blocks={},
        started_at=row.created_at,
        goal_since=None,
    )


def content_of(
    template: TransactionalDefinition | None, channel: str, overrides: Mapping[str, Any]
) -> EmailMessage | Content | None:
    """What is said: the template's message with the call's fields in their place; None where that is no message."""
    try:
        return checked_content(template, channel, overrides)
    except ValidationError:
        return None


def checked_content(
    template: TransactionalDefinition | None, channel: str, overrides: Mapping[str, Any]
) -> EmailMessage | Content:
    """The same; raises ValidationError where that is no message.

    What the call says holds for every language, since a call is made for one person.
    """
    shape = _SHAPES[channel]
    said = {} if template is None or template.content is None else template.content.model_dump(mode="json")
    if "from" in overrides:
        said.pop("sender", None)
    spoken = getattr(shape, "spoken", None)
    translated = {} if spoken is None else {n: v for n, v in overrides.items() if n in spoken.model_fields}
    languages = {code: {**texts, **translated} for code, texts in (said.pop(LANGUAGES, None) or {}).items()}
    return shape.model_validate({**said, **overrides, **({LANGUAGES: languages} if languages else {})})


def is_hidden(template: TransactionalDefinition | None, request: Mapping[str, Any]) -> bool:
    """Whether nothing that the send says is kept (CHN-11)."""
    return _flag(request, "disable_message_retention", template.hide_message_body if template else False)


def _flag(request: Mapping[str, Any], name: str, usual: bool) -> bool:
    """What the call said, true or false, else what the template says."""
    said = request.get(name)
    return said if isinstance(said, bool) else usual


__all__ = ["automation_of", "checked_content", "content_of", "is_hidden"]
