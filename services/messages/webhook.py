"""Webhooks as a kind of delivery: the request as it was rendered, and signed anew for every attempt (ACT-29, ACT-30)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import orjson

from channels.base import HttpCall, Outgoing
from domain.blocks.webhook import SavedRequest, WebhookBlock, WebhookRequest
from domain.definitions.provider import SecretName
from domain.definitions.webhook import WebhookDefinition
from domain.signatures import (
    DELIVERY_HEADER,
    IDEMPOTENCY_HEADER,
    PREVIOUS_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    signature,
)
from domain.web_addresses import basic_authorization, fault_of_rendered, split_userinfo, tidied
from ingest.catalog import Catalog
from rendering.errors import RenderError
from rendering.headers import one_line
from rendering.liquid import render
from services.messages.base import Handing, Making

_PUBLIC: Final = ("channel", "fields", "headers", "payload", "errors")
HIDDEN: Final = "********"


@dataclass(frozen=True, slots=True)
class RenderedWebhook:
    """A request as it was rendered; of a saved one only the body, with what its templates gave for later attempts.

    `shown` is its address as people may see it.
    """

    method: str
    shown: str
    body: str
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    saved: str | int | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[Mapping[str, str], ...] = ()

    @property
    def to(self) -> str:
        """The address."""
        return self.shown

    @property
    def headline(self) -> None:
        """Requests have no subject."""

    def stored(self) -> dict[str, Any]:
        """The request as a document."""
        saved = {} if self.saved is None else {"webhook": self.saved}
        shown: dict[str, Any] = {"method": self.method, "url": self.shown, "body": self.body, **saved}
        if self.saved is None:
            shown["headers"] = dict(self.headers)
        return {
            "channel": "webhook",
            "fields": {"method": self.method, "url": self.shown},
            "headers": [],
            "payload": shown,
            "errors": [dict(error) for error in self.errors],
            "request": {"url": self.url, "kept": dict(self.kept)},
        }


class WebhookKind:
    """Webhooks."""

    channel: ClassVar[str] = "webhook"
    word: ClassVar[str] = "webhook_action"

    def render(self, making: Making) -> RenderedWebhook:
        """The request for the journey as things stand now."""
        block = making.block
        assert isinstance(block, WebhookBlock), "only webhook blocks ask for a request"
        return rendered(block.request, making)

    def restored(self, document: Mapping[str, Any]) -> RenderedWebhook:
        """The request behind a document."""
        shown, inner = document.get("payload"), document.get("request")
        if not isinstance(shown, Mapping) or not isinstance(inner, Mapping):
            raise ValueError("the document holds no request")  # noqa: TRY004 - what `restored` promises
        return RenderedWebhook(
            method=shown["method"],
            shown=shown["url"],
            body=shown["body"],
            url=inner.get("url"),
            headers=shown.get("headers", {}),
            saved=shown.get("webhook"),
            kept=inner.get("kept", {}),
            errors=tuple(document.get("errors", ())),
        )

    def outgoing(self, rendered: RenderedWebhook, handing: Handing) -> Outgoing:
        """The request as it goes out at this attempt; raises RenderError where it cannot be made."""
        call = _call(rendered, handing)
        hidden = _hidden_headers(rendered, call, handing)
        exact = {
            "method": call.method,
            "url": call.shown,
            "headers": {**dict(call.headers), **_authorization(call), **hidden},
            "body": rendered.body,
        }
        shown = {**self.shown(rendered), "payload": exact}
        return handing.outgoing((call.shown,), orjson.dumps(exact), shown, call=call)

    def copies(self, _rendered: RenderedWebhook, _handing: Handing) -> Sequence[Outgoing]:
        """None."""
        return ()

    def shown(self, rendered: RenderedWebhook) -> dict[str, Any]:
        """The request in the contract's shape."""
        return {name: value for name, value in rendered.stored().items() if name in _PUBLIC}


def rendered(request: WebhookRequest | SavedRequest, making: Making) -> RenderedWebhook:
    """A request rendered over the variables of a delivery; raises RenderError."""
    body = _text(request.body, "body", making)
    if isinstance(request, WebhookRequest):
        url = tidied(_text(request.url, "url", making))
        headers = {name: one_line(_text(text, name, making)) for name, text in request.headers.items()}
        return RenderedWebhook(
            request.method, _shown(url), body, url=url, headers=headers, errors=_doubts(headers, body)
        )
    saved = saved_webhook(making.catalog, request.webhook)
    texts = [text for text in (saved.url, *saved.headers.values()) if isinstance(text, str) and _is_template(text)]
    kept = {text: _text(text, "url", making) for text in texts}
    shown = _shown(tidied(kept.get(saved.url, saved.url))) if isinstance(saved.url, str) else HIDDEN
    plain = {name: text for name, text in saved.headers.items() if isinstance(text, str)}
    return RenderedWebhook(saved.method, shown, body, saved=request.webhook, kept=kept, errors=_doubts(plain, body))


def saved_webhook(catalog: Catalog, ref: str | int) -> WebhookDefinition:
    """The saved webhook behind a reference; raises RenderError where there is none."""
    entry = catalog.find("webhook", ref)
    if entry is None or not isinstance(entry.definition, WebhookDefinition):
        raise RenderError(f"There is no webhook {ref!r}", "webhook")
    return entry.definition


def _call(message: RenderedWebhook, handing: Handing) -> HttpCall:
    method, url, headers = message.method, message.url or "", message.headers
    if message.saved is not None:
        # Looked up at every attempt, so that retries go by what has been set right meanwhile (ACT-33).
        saved = saved_webhook(handing.catalog, message.saved)
        secret = isinstance(saved.url, SecretName)
        method, url = saved.method, tidied(_resolved(saved.url, message, handing))
        headers = {name: one_line(_resolved(value, message, handing)) for name, value in saved.headers.items()}
    else:
        secret = False
    fault = fault_of_rendered(url)
    if not url or (fault is not None and fault.code == "url_invalid"):
        raise RenderError("The URL is none that can be called", "url")
    bare, userinfo = split_userinfo(url)
    body = message.body.encode()
    return HttpCall(
        method=method,
        url=bare,
        headers=(*headers.items(), *_signed(body, handing)),
        body=body,
        shown=HIDDEN if secret else bare,
        authorization=None if userinfo is None else basic_authorization(userinfo),
    )


def _hidden_headers(message: RenderedWebhook, call: HttpCall, handing: Handing) -> dict[str, str]:
    """What is kept in place of headers that hold a secret of the deployment."""
    if message.saved is None:
        return {}
    saved = saved_webhook(handing.catalog, message.saved)
    names = [name for name, value in saved.headers.items() if isinstance(value, SecretName)]
    names += _authorization(call) if isinstance(saved.url, SecretName) else ()
    return dict.fromkeys(names, HIDDEN)


def _resolved(value: str | SecretName, message: RenderedWebhook, handing: Handing) -> str:
    if isinstance(value, SecretName):
        if value.secret not in handing.secrets:
            raise RenderError(f"The deployment has no secret named {value.secret}")
        return handing.secrets[value.secret]
    if not _is_template(value):
        return value
    known = message.kept.get(value)
    return render(value, handing.variables or {}, now=handing.at) if known is None else known


def _signed(body: bytes, handing: Handing) -> list[tuple[str, str]]:
    """What tells receivers that a call is ours, and which; signed at each attempt, over the bytes that are sent."""
    stamp = int(handing.at.timestamp())
    found = [
        (TIMESTAMP_HEADER, str(stamp)),
        (IDEMPOTENCY_HEADER, handing.row.delivery_id),
        (DELIVERY_HEADER, handing.row.delivery_id),
    ]
    names = (SIGNATURE_HEADER, PREVIOUS_HEADER)
    return found + [(name, signature(key, stamp, body)) for name, key in zip(names, handing.keys, strict=False)]


def _authorization(call: HttpCall) -> dict[str, str]:
    named = {name.casefold() for name, _ in call.headers}
    return {} if call.authorization is None or "authorization" in named else {"Authorization": call.authorization}


def _text(source: str, part: str, making: Making) -> str:
    try:
        return render(source, making.context, now=making.now)
    except RenderError as error:
        raise error.inside(part) from None


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def _shown(url: str) -> str:
    try:
        return split_userinfo(url).url
    except ValueError:
        return url


def _doubts(headers: Mapping[str, str], body: str) -> tuple[Mapping[str, str], ...]:
    """What is worth saying of a request that goes out all the same: a body that says it is JSON, and is none."""
    kind = next((value for name, value in headers.items() if name.casefold() == "content-type"), "")
    if "json" not in kind.casefold() or not body.strip():
        return ()
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return ({"field": "body", "message": "This is not valid JSON, although the Content-Type says so."},)
    return ()


__all__ = ["RenderedWebhook", "WebhookKind", "rendered", "saved_webhook"]
