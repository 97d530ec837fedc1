"""Text for HTML, XML and addresses, and base64 (MSG-09)."""

from __future__ import annotations

import base64
import binascii
import re
from html import unescape
from typing import Final
from urllib.parse import quote, unquote_plus

from liquid import Environment
from liquid.exceptions import FilterError

from rendering.filters.inputs import of_text

_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})
_BLOCKS: Final = (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"))
"""What falls away with all that stands in it, by its begin and its end in small letters."""
_TAG_START: Final = re.compile(r"<(?:script|style|!--)?", re.IGNORECASE)


@of_text
def escape(text: str) -> str:
    """With entities for what HTML gives a meaning."""
    return text.translate(_ENTITIES)


@of_text
def escape_once(text: str) -> str:
    """The same, but for entities that stand there already."""
    return unescape(text).translate(_ENTITIES)


@of_text
def strip_html(text: str) -> str:
    """Without tags, comments, scripts and styles."""
    out: list[str] = []
    position = 0
    lowered = text.lower() if len(text.lower()) == len(text) else text
    unclosed: set[str] = set()
    while (found := _TAG_START.search(text, position)) is not None:
        begin = found[0].lower()
        end = dict(_BLOCKS).get(begin, ">")
        at = -1 if end in unclosed else lowered.find(end, found.end())
        if at < 0 and end != ">":
            unclosed.add(end)
            end, at = ">", -1 if ">" in unclosed else text.find(">", found.end())
        if at < 0:
            break
        out.append(text[position : found.start()])
        position = at + len(end)
    return "".join([*out, text[position:]])


@of_text
def url_encode(text: str) -> str:
    """For a query of an address, spaces as `+`."""
    return _quoted(text, "!'()*~").replace("%20", "+")


@of_text
def cgi_escape(text: str) -> str:
    """The same, and with nothing left but letters, digits and `-_.~`."""
    return _quoted(text, "").replace("%20", "+")


@of_text
def uri_escape(text: str) -> str:
    """For an address as a whole: what separates its parts stays."""
    return _quoted(text, ";/?:@&=+$,#[]!'()*~")


@of_text
def url_decode(text: str) -> str:
    """The text behind an encoded one."""
    return unquote_plus(text)


@of_text
def base64_encode(text: str) -> str:
    """In base64."""
    return base64.b64encode(_bytes(text)).decode()


@of_text
def base64_decode(text: str) -> str:
    """From base64."""
    return _decoded(text, b"+/")


@of_text
def base64_url_safe_encode(text: str) -> str:
    """In the base64 of addresses."""
    return base64.urlsafe_b64encode(_bytes(text)).decode()


@of_text
def base64_url_safe_decode(text: str) -> str:
    """From the base64 of addresses."""
    return _decoded(text, b"-_")


def _quoted(text: str, safe: str) -> str:
    return quote(_bytes(text), safe=safe)


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _decoded(text: str, letters: bytes) -> str:
    plain = "".join(text.split())
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=letters, validate=True).decode()
    except (binascii.Error, ValueError):
        raise FilterError("The text is no base64 of a text", token=None) from None


def register(env: Environment) -> None:
    """Add them."""
    for function in (
        escape,
        escape_once,
        strip_html,
        url_encode,
        url_decode,
        cgi_escape,
        uri_escape,
        base64_encode,
        base64_decode,
        base64_url_safe_encode,
        base64_url_safe_decode,
    ):
        env.add_filter(function.__name__, function)
    for alias, function in {
        "htmlencode": escape,
        "xml_escape": escape,
        "encode": cgi_escape,
        "base64": base64_encode,
    }.items():
        env.add_filter(alias, function)


__all__ = ["register"]
