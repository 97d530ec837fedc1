"""Webhook: an endpoint that is saved once and called by many blocks (ACT-33)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator, field_validator

from domain.definitions.base import Definition, Name, Template
from domain.definitions.provider import Secret, SecretName
from domain.documents import NonEmptyText, refused
from domain.http_requests import Method, header_faults
from domain.problems import pointer_of


def _read_url(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    return SecretName.model_validate(value) if isinstance(value, dict) else handler(value)


class WebhookDefinition(Definition):
    """Where to call and with what headers; a change counts from the next attempt on, everywhere it is used."""

    secrets: ClassVar[tuple[str, ...]] = ("/url@", "/headers/*")
    configures: ClassVar[bool] = True

    kind: Literal["webhook"]
    name: Name
    method: Method = "POST"
    url: Annotated[NonEmptyText | SecretName, WrapValidator(_read_url)]
    headers: Mapping[str, Secret] = Field(default_factory=dict)

    @field_validator("headers")
    @classmethod
    def _named_well(cls, headers: Mapping[str, Secret]) -> Mapping[str, Secret]:
        faults = list(header_faults(headers))
        if faults:
            raise refused(*faults)
        return headers

    def templates(self) -> Iterator[Template]:
        """The URL and the headers that are written out."""
        if isinstance(self.url, str):
            yield Template("/url", self.url)
        for name, value in self.headers.items():
            if isinstance(value, str):
                yield Template(pointer_of(("headers", name)), value)

    def addresses(self) -> Iterator[tuple[str, str]]:
        """The URL, where it is written out."""
        if isinstance(self.url, str):
            yield "/url", self.url


__all__ = ["WebhookDefinition"]
