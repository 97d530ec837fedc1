"""A transactional send as an automation of one block: the template with what the call says in its place (CHN-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from domain.content import EmailMessage
from domain.contents.base import Content
from domain.definitions.transactional import CONTENTS, MESSAGE, SingleMessage, TransactionalDefinition
from ingest.catalog import Campaign, Catalog
from store.deliveries import DeliveryRow

UNCATEGORIZED_NAME = "Uncategorized"


def automation_of(catalog: Catalog, row: DeliveryRow, request: Mapping[str, Any]) -> Campaign | None:
    """What delivers the send as things stand now; None where its template is gone, or says nothing with these overrides.

    Of `request` it reads `content` (fields of the channel's message that take the place of the template's),
    `send_to_unsubscribed` and `queue_draft`, where the call said them.
    """
    entry = None if row.transactional_id is None else catalog.find("transactional", row.transactional_id)
    template = entry.definition if entry is not None else None
    if not isinstance(template, TransactionalDefinition):
        template = None
    content = content_of(template, row.channel, request.get("content") or {})
    if content is None:
        return None
    key = template.key if template is not None else "uncategorized"
    name = template.name if template is not None else UNCATEGORIZED_NAME
    unsubscribed = _flag(request, "send_to_unsubscribed", template.send_to_unsubscribed if template else True)
    drafted = _flag(request, "queue_draft", template.queue_drafts if template else False)
    single = SingleMessage(
        key, name, row.channel, content, subscription="everyone" if unsubscribed else "subscribed", drafted=drafted
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
    said = {} if template is None or template.content is None else template.content.model_dump(mode="json")
    if "from" in overrides:
        said.pop("sender", None)
    try:
        return CONTENTS[channel].model_validate({**said, **overrides})
    except ValidationError:
        return None


def _flag(request: Mapping[str, Any], name: str, usual: bool) -> bool:
    """What the call said, true or false, else what the template says."""
    said = request.get(name)
    return said if isinstance(said, bool) else usual


__all__ = ["automation_of", "content_of"]
