"""What begins an automation by a call: the trigger of a broadcast, and the single send of a transactional message."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from domain.definitions.triggers.base import TriggerBase


class AskedTrigger(TriggerBase):
    """No trigger of a document: whoever calls says whom it is for, and gives the data that templates call `trigger`."""

    filtered: ClassVar[bool] = False

    type: Literal["broadcast", "transactional"]


BROADCAST: Final = AskedTrigger(type="broadcast")
TRANSACTIONAL: Final = AskedTrigger(type="transactional")

__all__ = ["BROADCAST", "TRANSACTIONAL", "AskedTrigger"]
