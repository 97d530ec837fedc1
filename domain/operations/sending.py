"""The operation behind a transactional send (CHN-03)."""

from __future__ import annotations

from typing import Literal

from domain.operations.base import DELIVERY, Identifier, Name, Operation
from domain.operations.devices import AddDevice


class SendTransactional(Operation):
    """A delivery that a call has made is to get its person, who is created if need be, and to be sent.

    It comes after every earlier fact of the person, so that what these said is rendered. `device` is one that the call
    registers for the person.
    """

    op: Literal["send_transactional"] = "send_transactional"
    subject: Identifier
    delivery_id: str
    transactional_id: int
    device: AddDevice | None = None

    def identifiers(self) -> list[Identifier]:
        """The person."""
        return [self.subject]

    def names(self) -> list[Name]:
        """The person, the delivery, and the token of the device."""
        device = [] if self.device is None else self.device.names()
        return list(dict.fromkeys([*super().names(), *device, Name(DELIVERY, self.delivery_id)]))


__all__ = ["SendTransactional"]
