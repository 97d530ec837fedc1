"""A LINE message to the person (ACT-02, CMP-29)."""

from __future__ import annotations

from typing import Literal

from domain.blocks.message import MessageBlock
from domain.contents.line import LineMessage


class LineBlock(MessageBlock):
    """A LINE message."""

    type: Literal["line"]
    message: LineMessage | None = None


__all__ = ["LineBlock"]
