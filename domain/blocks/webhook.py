"""Send and receive data: a call of somebody's endpoint, and what its answer is worth (ACT-29 to ACT-33)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    Field,
    StrictBool,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from domain.blocks.base import DeliveringBlock, pointer_to
from domain.documents import Document, NonEmpty, NonEmptyText, Reference, Refusal, refused
from domain.errors import Problem
from domain.http_requests import JSON_HEADERS, Method, header_faults
from domain.journey_attributes import LONGEST_NAME

_PATH = re.compile(r"response(\.|\[|$)")
_OWN: Final = ("method", "url", "headers")


class WebhookRequest(Document):
    """A request written out; URL, headers and body are templates."""

    method: Method = "POST"
    url: NonEmptyText
    headers: Mapping[str, str] = Field(default_factory=lambda: dict(JSON_HEADERS))
    body: str = ""

    @field_validator("headers")
    @classmethod
    def _named_well(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        faults = list(header_faults(headers))
        if faults:
            raise refused(*faults)
        return headers


class SavedRequest(Document):
    """A request to an endpoint that is saved in the workspace (ACT-33)."""

    webhook: Reference
    body: str = ""


def _read_request(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(value, dict):
        if isinstance(value, WebhookRequest | SavedRequest):
            return value
        raise refused(Refusal("type", "A request is an object.", (), value))
    if "webhook" not in value:
        return WebhookRequest.model_validate(value)
    own = [Refusal("not_applicable", f"A saved webhook has its own {n}.", (n,)) for n in _OWN if n in value]
    if own:
        raise refused(*own)
    return SavedRequest.model_validate(value)


def _read_mapped(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    raise refused(Refusal("type", "A value is a text, a number or a boolean.", (), value))


Mapped = Annotated[str | bool | int | float, WrapValidator(_read_mapped)]
"""What an attribute becomes: a path into the response, a template, or a value that is always the same (ACT-32)."""


class ResponseMapping(Document):
    """Which attributes the answer gives their values."""

    journey: Annotated[Mapping[str, Mapped], NonEmpty] | None = None
    customer: Annotated[Mapping[str, Mapped], NonEmpty] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ResponseMapping:
        faults = [] if self.journey or self.customer else [Refusal("length", "Give journey or customer attributes.")]
        faults += [
            Refusal(
                "length", f"The name of a journey attribute has 1 to {LONGEST_NAME} bytes.", ("journey", name), name
            )
            for name in self.journey or {}
            if not 0 < len(name.encode()) <= LONGEST_NAME
        ]
        for name in self.customer or {}:
            if not name:
                faults.append(Refusal("length", "An attribute name cannot be empty.", ("customer", name), name))
            elif name.startswith("_"):
                message = f"The attribute '{name}' is internal: it starts with '_'."
                faults.append(Refusal("internal_attribute", message, ("customer", name), name))
        if faults:
            raise refused(*faults)
        return self


def is_path(value: Any) -> bool:
    """Whether a mapped value is a path into the response."""
    return isinstance(value, str) and _PATH.match(value) is not None


class WebhookBlock(DeliveringBlock):
    """A request to an endpoint; with `wait`, which a `response` brings along, the journey stands here until it is over."""

    to_people: ClassVar[bool] = False

    type: Literal["webhook"]
    message_limit: Literal["inherit"] = "inherit"
    request: Annotated[WebhookRequest | SavedRequest, WrapValidator(_read_request)]
    wait: StrictBool = False
    response: ResponseMapping | None = None
    track_conversions: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _waits_for_a_response(cls, value: Any) -> Any:
        if isinstance(value, dict) and "response" in value and "wait" not in value:
            return {**value, "wait": True}
        return value

    @model_validator(mode="after")
    def _no_response_without_waiting(self) -> WebhookBlock:
        if self.response is not None and not self.wait:
            message = "Attributes come of the response, so the journey waits for it: leave this out."
            raise refused(Refusal("not_applicable", message, ("wait",), value=False))
        return self

    @property
    def waits(self) -> bool:
        """Whether the journey stands here until the request was taken or given up."""
        return self.wait

    @property
    def writes_to_people(self) -> bool:
        """Whether the answer changes the journey's person."""
        return self.response is not None and self.response.customer is not None

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The parts of the request, and what is mapped of the response."""
        request = self.request
        if isinstance(request, WebhookRequest):
            yield ("request", "url"), request.url
            for name, text in request.headers.items():
                yield ("request", "headers", name), text
        yield ("request", "body"), request.body
        for place, mapped in self.mapped():
            if isinstance(mapped, str) and not is_path(mapped):
                yield place, mapped

    def mapped(self) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        """What is mapped of the response, with its path in the block."""
        for kind in ("journey", "customer") if self.response is not None else ():
            for name, value in (getattr(self.response, kind) or {}).items():
                yield ("response", kind, name), value

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """The saved webhook."""
        if isinstance(self.request, SavedRequest):
            yield ("request", "webhook"), "webhook", self.request.webhook

    def addresses(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The URL that it calls."""
        if isinstance(self.request, WebhookRequest):
            yield ("request", "url"), self.request.url

    def check(self, pointer: str, trigger_type: str | None, /) -> Iterator[Problem]:
        """Where nobody travels there is nobody whose attributes could be set."""
        if trigger_type == "webhook" and self.writes_to_people:
            message = "Nobody travels this campaign, so there is nobody whose attributes the response could set."
            yield Problem(code="target_required", pointer=pointer_to(pointer, "response", "customer"), message=message)


__all__ = ["Mapped", "ResponseMapping", "SavedRequest", "WebhookBlock", "WebhookRequest", "is_path"]
