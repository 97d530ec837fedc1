"""A message shown inside an app to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.message import MessageBlock
from domain.contents.in_app import InAppMessage


class InAppBlock(MessageBlock):
    """A message shown inside an app."""

    type: Literal["in_app"]
    message: InAppMessage | None = None


__all__ = ["InAppBlock"]
