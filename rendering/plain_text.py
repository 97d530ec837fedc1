"""The text part of an email that has none of its own: its HTML, read aloud (MSG-23)."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from rendering.markup import Tag, attributes, tags

_HIDDEN: Final = frozenset({"head", "style", "script", "title", "template", "noscript"})
_PARAGRAPHS: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table", "hr"}
)
_LINES: Final = frozenset(
    {"div", "tr", "section", "article", "header", "footer", "center", "address", "dl", "dt", "dd"}
)
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_LINE: Final = "\x1e"
"""Stands where a line of its own begins or ends; two in a row are still one."""
_PARAGRAPH: Final = "\x1f"
_SIGNS: Final = {
    **dict.fromkeys(_PARAGRAPHS, _PARAGRAPH),
    **dict.fromkeys(_LINES, _LINE),
    **dict.fromkeys(("td", "th"), " "),
    "br": "\n",
    "li": f"{_LINE}- ",
}
_BREAKS: Final = re.compile(r" *[\n\x1e\x1f][ \n\x1e\x1f]*")


def plain_text(html: str) -> str:
    """The words of HTML in lines, links as `text (url)`, lists with dashes, images by their description."""
    out: list[str] = []
    hidden: str | None = None
    links: list[tuple[str | None, int]] = []
    position = 0
    for tag in tags(html):
        if hidden is None:
            _add_words(out, html[position : tag.start])
        position = tag.end
        if hidden is not None:
            if tag.closes and tag.name == hidden:
                hidden = None
            continue
        if tag.name in _HIDDEN and not tag.closes:
            hidden = tag.name
        elif tag.name == "a":
            _link(tag, out, links)
        else:
            out.append(_sign(tag))
    if hidden is None:
        _add_words(out, html[position:])
    return _BREAKS.sub(_line_ends, re.sub(" {2,}", " ", "".join(out))).strip()


def _line_ends(found: re.Match[str]) -> str:
    """One line end, or an empty line between paragraphs and where two were asked for."""
    run = found[0]
    return "\n\n" if _PARAGRAPH in run or run.count("\n") > 1 else "\n"


def _add_words(out: list[str], source: str) -> None:
    if not source:
        return
    words = _SPACE.sub(" ", source)
    out.append((unescape(words) if "&" in words else words).replace("\N{NO-BREAK SPACE}", " "))


def _sign(tag: Tag) -> str:
    """What stands in the text for a tag that is not a link."""
    if tag.name == "img":
        return unescape(next((a.value for a in attributes(tag.attributes) if a.name == "alt"), ""))
    if tag.name == "li" and tag.closes:
        return ""
    return _SIGNS.get(tag.name, "")


def _link(tag: Tag, out: list[str], links: list[tuple[str | None, int]]) -> None:
    """Remember where a link begins; where it ends, name its address unless its words do so already."""
    if not tag.closes:
        href = next((unescape(a.value).strip() for a in attributes(tag.attributes) if a.name == "href"), None)
        links.append((href, len(out)))
    elif links:
        href, begun = links.pop()
        words = "".join(out[begun:]).strip()
        if href and not href.startswith("#") and href not in (words, f"mailto:{words}"):
            out.append(f" ({href})" if words else href)


__all__ = ["plain_text"]
