"""The text part of an email that has none of its own: its HTML, read aloud (MSG-23)."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from rendering.markup import ATTRIBUTES, COMMENTS, attribute

_UNREAD: Final = re.compile(
    rf"{COMMENTS}|<(head|style|script|title|template|noscript)(?=[\s/>]){ATTRIBUTES}>.*?(?:</\1(?=[\s/>])[^>]*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
"""What nobody reads."""
_TAG: Final = re.compile(rf"<(/?[A-Za-z][A-Za-z0-9:-]*)({ATTRIBUTES})>")
_PARAGRAPHS: Final = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table", "hr")
_LINES: Final = ("div", "tr", "section", "article", "header", "footer", "center", "address", "dl", "dt", "dd")
_BLANKS: Final = str.maketrans("\t\r\n\f", "    ")
_SPACES: Final = re.compile(" {2,}")
_LINE: Final = "\x1e"
"""Stands where a line of its own begins or ends; two in a row are still one."""
_PARAGRAPH: Final = "\x1f"
_SIGNS: Final = {
    **{sign + name: _PARAGRAPH for name in _PARAGRAPHS for sign in ("", "/")},
    **{sign + name: _LINE for name in _LINES for sign in ("", "/")},
    **dict.fromkeys(("td", "th", "/td", "/th"), " "),
    "br": "\n",
    "/br": "\n",
    "li": f"{_LINE}- ",
}
_BREAKS: Final = re.compile(r"[\n\x1e\x1f][ \n\x1e\x1f]*")


def plain_text(html: str) -> str:
    """The words of HTML in lines, links as `text (url)`, lists with dashes, images by their description."""
    pieces = _TAG.split(_UNREAD.sub("", html).translate(_BLANKS))
    out = [pieces[0]]
    links: list[tuple[str | None, int]] = []
    for at in range(1, len(pieces), 3):
        name, words = pieces[at], pieces[at + 2]
        sign = _SIGNS.get(name)
        if sign is None:
            name = name.lower()
            if name == "a":
                links.append((attribute(pieces[at + 1], "href"), len(out)))
            elif name == "/a" and links:
                out.append(_address(*links.pop(), out))
            elif name == "img":
                out.append(attribute(pieces[at + 1], "alt") or "")
            else:
                out.append(_SIGNS.get(name, ""))
        else:
            out.append(sign)
        out.append(words)
    said = "".join(out)
    if "&" in said:
        said = unescape(said)
    lines = _SPACES.sub(" ", said.replace("\N{NO-BREAK SPACE}", " "))
    return _BREAKS.sub(_line_ends, lines).replace(" \n", "\n").strip()


def _line_ends(found: re.Match[str]) -> str:
    """One line end, or an empty line between paragraphs and where two were asked for."""
    run = found[0]
    return "\n\n" if _PARAGRAPH in run or run.count("\n") > 1 else "\n"


def _address(href: str | None, begun: int, out: list[str]) -> str:
    """The address of a link that ends here, unless its words name it already."""
    href = (href or "").strip()
    words = "".join(out[begun:]).strip()
    if not href or href.startswith("#") or unescape(href) in (unescape(words), f"mailto:{unescape(words)}"):
        return ""
    return f" ({href})" if words else href


__all__ = ["plain_text"]
