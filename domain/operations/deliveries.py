"""Operations about messages that were sent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from domain.operations.base import DELIVERY, Name, Operation


class ReportDelivery(Operation):
    """What became of a delivery, as somebody outside reports it (API-10).

    `timestamp` in Unix seconds, None for the time of receipt; `details` are recipient, reason, href, device token and
    the like, as they came.
    """

    op: Literal["report_delivery"] = "report_delivery"
    delivery_id: str
    metric: str
    timestamp: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)

    def names(self) -> list[Name]:
        """The delivery."""
        return [Name(DELIVERY, self.delivery_id)]


class Unsubscribe(Operation):
    """The person behind a delivery's link left (or came back); credited to the delivery (SUB-09, SUB-10)."""

    op: Literal["unsubscribe"] = "unsubscribe"
    delivery_id: str
    person_id: int
    unsubscribe: bool = True

    def names(self) -> list[Name]:
        """The delivery, by which its person is found."""
        return [Name(DELIVERY, self.delivery_id)]

    def extra_keys(self) -> list[str]:
        """The person by internal number."""
        return [f"p:{self.person_id}"]


__all__ = ["ReportDelivery", "Unsubscribe"]
