"""The text part of an email that has none of its own: its HTML, read aloud (MSG-23)."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import Final

from rendering.markup import ATTRIBUTES, UNSAID, attribute

_UNREAD: Final = re.compile(
    # That every one begins with the same sign, and then with one of few, is what lets the search run over the rest.
    rf"<(?=[!hstn])(?:{UNSAID}"
    rf"|(head|style|script|title|template|noscript)(?=[\s/>]){ATTRIBUTES}>.*?(?:</\1(?=[\s/>])[^>]*>|\Z))",
    re.DOTALL | re.IGNORECASE,
)
"""What nobody reads."""
_TAG: Final = re.compile(rf"<(/?[A-Za-z][A-Za-z0-9:-]*)(?:>|({ATTRIBUTES})>)")
_PARAGRAPHS: Final = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table", "hr")
_LINES: Final = ("div", "tr", "section", "article", "header", "footer", "center", "address", "dl", "dt", "dd")
_LINE: Final = "\x1e"
"""Stands where a line of its own begins or ends; two in a row are still one."""
_PARAGRAPH: Final = "\x1f"
_SILENT: Final = ("span", "b", "strong", "i", "em", "u", "font", "small", "body", "html", "tbody")
_LINKS: Final = frozenset({"a", "/a", "img"})


class _Signs(dict[str, str]):
    """What stands for each tag; for those of links and images their name."""

    def __missing__(self, name: str) -> str:
        """What stands for one that is written in large letters, and nothing for one that says nothing."""
        return self.get(name.lower(), "")


_SIGNS: Final = _Signs(
    {
        **{name: name for name in _LINKS},
        **{sign + name: "" for name in _SILENT for sign in ("", "/")},
        **{sign + name: _PARAGRAPH for name in _PARAGRAPHS for sign in ("", "/")},
        **{sign + name: _LINE for name in _LINES for sign in ("", "/")},
        **dict.fromkeys(("td", "th", "/td", "/th"), " "),
        "br": "\n",
        "/br": "\n",
        "li": f"{_LINE}- ",
    }
)
_BREAKS: Final = re.compile(r"([\n\x1e\x1f][ \n\x1e\x1f]*)")


def plain_text(html: str) -> str:
    """The words of HTML in lines, links as `text (url)`, lists with dashes, images by their description."""
    read = _UNREAD.sub("", html).replace("\n", " ").replace("\t", " ").replace("\r", " ").replace("\f", " ")
    pieces = _TAG.split(read)
    out = [""] * (len(pieces) // 3 * 2 + 1)
    out[::2] = pieces[::3]
    out[1::2] = map(_SIGNS.__getitem__, pieces[1::3])
    links: list[tuple[str | None, int]] = []
    for at in [at for at, sign in enumerate(out[1::2]) if sign in _LINKS]:
        name, attributes, place = out[2 * at + 1], pieces[3 * at + 2] or "", 2 * at + 1
        out[place] = ""
        if name == "a":
            links.append((attribute(attributes, "href"), place))
        elif name == "img":
            out[place] = attribute(attributes, "alt") or ""
        elif links:
            href, begun = links.pop()
            out[place] = _address(href, "".join(out[begun:place]))
    said = "".join(out)
    if "&" in said:
        said = unescape(said)
    lines = said.replace("\N{NO-BREAK SPACE}", " ")
    while "  " in lines:
        lines = lines.replace("  ", " ")
    parts = _BREAKS.split(lines)
    parts[1::2] = map(_line_ends, parts[1::2])
    return "".join(parts).replace(" \n", "\n").strip()


@lru_cache(maxsize=1024)
def _line_ends(run: str) -> str:
    """One line end, or an empty line between paragraphs and where two were asked for."""
    return "\n\n" if _PARAGRAPH in run or run.count("\n") > 1 else "\n"


def _address(href: str | None, words: str) -> str:
    """The address of a link that ends here, unless its words name it already."""
    href, words = (href or "").strip(), words.strip()
    if not href or href.startswith("#") or unescape(href) in (unescape(words), f"mailto:{unescape(words)}"):
        return ""
    return f" ({href})" if words else href


__all__ = ["plain_text"]
