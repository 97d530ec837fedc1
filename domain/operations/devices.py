"""Operations on devices (PPL-19, API-08)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from domain.operations.base import DEVICE, Identifier, Name, Operation


class AddDevice(Operation):
    """Register a push token for a person, who is created if need be; it leaves whoever had it before.

    `last_used` in Unix seconds, None for the time of receipt. Attributes of a token registered before are merged.
    """

    op: Literal["add_device"] = "add_device"
    subject: Identifier
    token: str
    platform: str
    last_used: int | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]

    def names(self) -> list[Name]:
        """The person and the token."""
        return [*super().names(), Name(DEVICE, self.token)]


class DeleteDevice(Operation):
    """Forget a push token of a person; one that is not theirs stays."""

    op: Literal["delete_device"] = "delete_device"
    subject: Identifier
    token: str

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]

    def names(self) -> list[Name]:
        """The person and the token."""
        return [*super().names(), Name(DEVICE, self.token)]


__all__ = ["AddDevice", "DeleteDevice"]
