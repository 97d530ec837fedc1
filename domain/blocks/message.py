"""What blocks have in common that write to a person: who may get it, and whether it is only measured (ACT-02, ACT-19)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StrictBool, ValidatorFunctionWrapHandler, WrapValidator

from domain.blocks.base import DeliveringBlock
from domain.documents import Refusal, refused

Subscription = Literal["inherit", "subscribed", "everyone"]


def _read_subscription(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, dict) and set(value) == {"topic"}:
        raise refused(
            Refusal("unknown_reference", f"There is no topic {value['topic']!r}.", ("topic",), value["topic"])
        )
    return handler(value)


class MessageBlock(DeliveringBlock):
    """A message to the journey's person; `subscription` says who may get it, `inherit` being the campaign's rule (SUB-03).

    A `holdout` is never sent, only counted, so that what happens without the message can be measured.
    """

    subscription: Annotated[Subscription, WrapValidator(_read_subscription)] = "inherit"
    message_limit: Literal["inherit"] = "inherit"
    holdout: StrictBool = False


__all__ = ["MessageBlock", "Subscription"]
