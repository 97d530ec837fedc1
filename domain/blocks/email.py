"""Email: one message to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

from domain.blocks.base import MessageBlock
from domain.content import EmailMessage
from domain.documents import Refusal, refused
from domain.effects import Deliver

Subscription = Literal["inherit", "subscribed", "everyone"]


def _read_subscription(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, dict) and set(value) == {"topic"}:
        raise refused(
            Refusal("unknown_reference", f"There is no topic {value['topic']!r}.", ("topic",), value["topic"])
        )
    return handler(value)


class EmailBlock(MessageBlock):
    """An email; `subscription` says who may get it, `inherit` being the campaign's rule (SUB-03)."""

    type: Literal["email"]
    message: EmailMessage
    subscription: Annotated[Subscription, WrapValidator(_read_subscription)] = "inherit"
    message_limit: Literal["inherit"] = "inherit"

    def action(self) -> Deliver:
        """Deliver it."""
        return Deliver(channel="email")
