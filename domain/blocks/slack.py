"""Slack: a message to a channel or a member of the workspace's Slack (ACT-35)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from domain.blocks.base import DeliveringBlock
from domain.documents import Document


class SlackMessage(Document):
    """What is posted, in Slack's markup; every text is a template."""

    channel: str = "{{customer.channel}}"
    text: str
    username: str | None = None
    icon_url: str | None = None


class SlackBlock(DeliveringBlock):
    """A message to colleagues: nobody's subscription matters, and it never converts anybody."""

    to_people: ClassVar[bool] = False

    type: Literal["slack"]
    message: SlackMessage

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The parts of the message."""
        for name, text in self.message.model_dump(exclude_none=True).items():
            yield ("message", name), text


__all__ = ["SlackBlock", "SlackMessage"]
