"""Writing what messages say in the words of the App API: its fields put into the stored document (APP-04)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.contents import vendor
from domain.contents.translated import LANGUAGES
from domain.errors import Problem
from domain.problems import pointer_of
from services.contents_shown import Around

Raw = dict[str, Any]


@dataclass
class Writing:
    """A message of a stored document being changed; `shown` is what a read answers of it now.

    Only fields that say something else than `shown` change anything, so that an answer can be sent back as it is.
    `language` is the code of a variant, which has its own texts and nothing else; None is the default.
    """

    channel: str
    at: Sequence[str]
    """Where the message stands in the document."""
    raw: Raw
    shown: Mapping[str, Any]
    around: Around
    language: str | None = None
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    """The pointer into the request for each pointer into the document that it has changed."""

    def message(self, body: Mapping[str, Any]) -> None:
        """Take over the texts and, in the default language, sender, recipient and headers."""
        asked = {name: value for name, value in body.items() if name not in self.shown or self.shown[name] != value}
        spoken = self.raw if self.language is None else self.raw[LANGUAGES][self.language]
        at = () if self.language is None else (LANGUAGES, self.language)
        if "body" in asked and self.raw.get("editor") in vendor.EDITORS:
            self._refuse("not_applicable", "body", "This body was made in an editor, and cannot be changed without it.")
            del asked["body"]
        for name, ours in vendor.TEXTS.get(self.channel, {}).items():
            if name in asked:
                self._set(spoken, (*at, ours), asked[name], name)
        if "body" in asked and self.channel in vendor.JSON_BODIES:
            self._data(spoken, (*at, vendor.JSON_BODIES[self.channel]), asked["body"])
        if "body" in asked and self.channel == "whatsapp":
            self._template(spoken, (*at, "template"), asked["body"])
        if self.language is None:
            self._envelope(asked)

    def _envelope(self, asked: Mapping[str, Any]) -> None:
        recipient = vendor.RECIPIENTS.get(self.channel)
        if recipient is not None and asked.get("recipient"):
            self._set(self.raw, (recipient,), asked["recipient"], "recipient")
        if self.channel == "whatsapp" and isinstance(asked.get("tracked"), bool):
            self._set(self.raw, ("link_tracking",), asked["tracked"], "tracked")
        if self.channel != "email":
            return
        if "from_id" in asked and (asked["from_id"] is not None or self.shown.get("from_id") is not None):
            key = self._sender(asked["from_id"], "from_id", "key")
            if key is not None or asked["from_id"] is None:
                self.raw.pop("from", None)
                self._set(self.raw, ("sender",), key, "from_id")
        if "reply_to_id" in asked and (asked["reply_to_id"] is not None or self.shown.get("reply_to_id") is not None):
            address = self._sender(asked["reply_to_id"], "reply_to_id", "email")
            if address is not None or asked["reply_to_id"] is None:
                self._set(self.raw, ("reply_to",), address, "reply_to_id")
        if "headers" in asked:
            headers = self._headers(asked["headers"])
            if headers is not None:
                listed = [{"name": name, "value": value} for name, value in headers]
                self._set(self.raw, ("headers",), listed, "headers")

    def request(self, body: Mapping[str, Any]) -> None:
        """Take over what a webhook calls."""
        asked = {name: value for name, value in body.items() if name not in self.shown or self.shown[name] != value}
        for name in ("url", "body"):
            if name in asked:
                self._set(self.raw, (name,), "" if asked[name] is None else asked[name], name)
        if "method" in asked:
            method = asked["method"]
            self._set(self.raw, ("method",), method.upper() if isinstance(method, str) else method, "method")
        if "headers" in asked:
            headers = self._headers(asked["headers"])
            if headers is not None:
                self._set(self.raw, ("headers",), dict(headers), "headers")

    def _set(self, into: Raw, path: Sequence[str], value: Any, name: str) -> None:
        """Write a field, or leave it out where there is nothing to say and it need not be there."""
        self.places[pointer_of((*self.at, *path))] = f"/{name}"
        if value is None or (value == "" and name in ("preheader_text", "body_amp", "image_url")):
            into.pop(path[-1], None)
        else:
            into[path[-1]] = value

    def _data(self, into: Raw, path: Sequence[str], given: Any) -> None:
        value = vendor.read_json(given) if isinstance(given, str) else given
        if isinstance(value, dict):
            self._set(into, path, value, "body")
        else:
            self._refuse("type", "body", "The body is the JSON text of an object.")

    def _template(self, into: Raw, path: Sequence[str], given: Any) -> None:
        value = vendor.read_json(given) if isinstance(given, str) else given
        named = value.get("whatsapp_message_template") if isinstance(value, dict) else None
        filled = value.get("template_parameters", {}) if isinstance(value, dict) else None
        if not isinstance(named, dict) or not isinstance(filled, dict):
            self._refuse("type", "body", "The body is the JSON text of a template with its parameters.")
            return
        template = {name: named[name] for name in ("name", "language") if name in named}
        if "variables" in filled:
            template["variables"] = filled["variables"]
        self._set(into, path, template, "body")

    def _sender(self, given: Any, name: str, part: str) -> str | None:
        """The key or the address of the sender of that id."""
        if given is None:
            return None
        known = isinstance(given, int) and not isinstance(given, bool)
        found = self.around.sender(given) if known else None
        if found is None:
            self._refuse("unknown_reference", name, f"There is no sender {given!r} with an email address.")
            return None
        said: str = getattr(found[1], part)
        return said

    def _headers(self, given: Any) -> list[tuple[str, str]] | None:
        headers = vendor.read_headers(given) if given is not None else []
        if headers is None:
            self._refuse("type", "headers", "Headers are a list of names and values, or the JSON text of one.")
        return headers

    def _refuse(self, code: str, name: str, message: str) -> None:
        self.problems.append(Problem(code=code, pointer=f"/{name}", message=message))

    def in_request(self, problem: Problem) -> Problem:
        """A problem of the document where its cause stands in the request."""
        for place, pointer in self.places.items():
            if problem.pointer == place or problem.pointer.startswith(f"{place}/"):
                return problem.model_copy(update={"pointer": pointer + problem.pointer[len(place) :]})
        return problem


__all__ = ["Raw", "Writing"]
