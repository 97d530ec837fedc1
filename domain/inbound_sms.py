"""A reply to a text message as an event: its name, its data, and the word that it means (CMP-10)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from domain.definitions.triggers.event import INBOUND_SMS

_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "STOP": ("STOP", "CANCEL", "UNSUBSCRIBE", "OPTOUT", "END", "QUIT", "REVOKE", "STOPALL"),
        "START": ("START", "UNSTOP"),
        "HELP": ("HELP", "INFO"),
        "YES": ("YES", "Y", "OK", "\U0001f44d"),
        "NO": ("NO", "N", "\U0001f44e"),
    }
)
_KEYWORDS: Final[Mapping[str, str]] = MappingProxyType(
    {word.casefold(): keyword for keyword, words in _WORDS.items() for word in words}
)
OPT_OUT: Final = "STOP"
OPT_IN: Final = "START"
_NOT_MEANT: Final = "\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""What phones put behind an emoji: how it is drawn, and the colour of a hand."""


def keyword_of(body: str) -> str:
    """The keyword of a reply: that of a word in the table whatever its case, else the word itself in capitals.

    A reply of several words, or of none, has the empty keyword.
    """
    words = body.split()
    if len(words) != 1:
        return ""
    word = words[0]
    plain = word.rstrip(_NOT_MEANT) or word
    return _KEYWORDS.get(plain.casefold(), word.upper())


def inbound_data(*, body: str, sender: str, to: str, sid: str, messaging_service_sid: str | None) -> dict[str, Any]:
    """The data of the event, in the provider's words; `sender` and `to` are numbers, `sid` the provider's id of the message."""
    return {
        "body": body,
        "from": sender,
        "keyword": keyword_of(body),
        "messaging_service_sid": messaging_service_sid,
        "sid": sid,
        "to": to,
    }


__all__ = ["INBOUND_SMS", "OPT_IN", "OPT_OUT", "inbound_data", "keyword_of"]
