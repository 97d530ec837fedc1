"""A message of a channel other than email made for one person: every part rendered, as it will be stored and sent (MSG-01)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from domain.errors import DomainError
from domain.values import check_json
from rendering.errors import RenderError
from rendering.headers import one_line
from rendering.liquid import render


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """One message, ready to be handed over.

    `fields` are its texts of one value by the names of the contract, `text` and `html` what it says at length, `payload`
    what a channel takes as JSON.
    """

    channel: str
    to: str
    fields: Mapping[str, str | None] = field(default_factory=dict)
    text: str | None = None
    html: str | None = None
    payload: Any = None
    headline: str | None = None

    def stored(self) -> dict[str, Any]:
        """The message as a document, from which `restored` makes it again."""
        known = {name: value for name, value in self.fields.items() if value is not None}
        said = {"text": self.text, "html": self.html, "payload": self.payload}
        return {
            "channel": self.channel,
            "fields": {**known, "to": self.to},
            "headers": [],
            **{name: value for name, value in said.items() if value is not None},
            "errors": [],
        }

    def request(self, delivery_id: str) -> bytes:
        """The message as JSON, as a provider would get it."""
        document = self.stored()
        said = {name: document[name] for name in ("text", "html", "payload") if name in document}
        return orjson.dumps({"delivery_id": delivery_id, "channel": self.channel, **document["fields"], **said})


def restored(document: Mapping[str, Any]) -> RenderedMessage:
    """The message behind a document that `stored` made; raises ValueError for one that holds no message."""
    fields = dict(document.get("fields", {}))
    to = fields.pop("to", None)
    if not isinstance(to, str):
        raise ValueError("the document holds no message")  # noqa: TRY004 - it is the content that is wrong
    text, html, payload = (document.get(name) for name in ("text", "html", "payload"))
    return RenderedMessage(document["channel"], to, fields, text, html, payload)


class Parts:
    """Renders the parts of one message over one context; each has variables of its own (MSG-07)."""

    def __init__(self, context: Mapping[str, Any], now: datetime) -> None:
        self._context = context
        self._now = now

    @property
    def person(self) -> str:
        """What the person is called, for messages that need no address."""
        customer = self._context.get("customer") or {}
        return str(next((customer[name] for name in ("id", "email", "cio_id") if customer.get(name)), ""))

    def text(self, part: str, source: str) -> str:
        """One part, rendered."""
        try:
            return render(source, self._context, now=self._now)
        except RenderError as error:
            raise error.inside(part) from None

    def optional(self, part: str, source: str | None) -> str | None:
        """One part that may have been left out, or come out empty."""
        return None if source is None else self.text(part, source).strip() or None

    def address(self, part: str, source: str, what: str) -> str:
        """Where the message goes to or comes from; an empty one fails the message."""
        found = one_line(self.text(part, source)).strip()
        if not found:
            raise RenderError(f"There is no {what}", part)
        return found

    def tree(self, part: str, value: Any) -> Any:
        """A JSON value with every text in it rendered."""
        if isinstance(value, str):
            return self.text(part, value)
        if isinstance(value, Mapping):
            return {name: self.tree(f"{part}.{name}", item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(f"{part}[{index}]", item) for index, item in enumerate(value)]
        return value

    def document(self, part: str, value: Any) -> dict[str, Any]:
        """An object with every text in it rendered, or the object that a template gives."""
        if not isinstance(value, str):
            found = self.tree(part, value)
        else:
            try:
                found = orjson.loads(self.text(part, value))
                check_json(found)
            except (orjson.JSONDecodeError, DomainError):
                raise RenderError("This is no JSON that can be kept", part) from None
        if not isinstance(found, dict):
            raise RenderError("This is no JSON object", part)
        return found


__all__ = ["Parts", "RenderedMessage", "restored"]
