"""CSS of an email moved from its `<style>` to the tags it means, as some mail programs demand (MSG-29).

The library works on a skeleton of the HTML: its tags with what selectors can see of them. Only the styles that come back
are written into the HTML, which stays as it was authored otherwise, comments for mail programs included. Emails of one
template mostly have the same skeleton, whatever is in them of a person, so that what came back is kept.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from css_inline import CSSInliner, InlineError

from rendering.markup import ATTRIBUTES, COMMENTS, RAW, attribute, attributes

MAX_TAGS: Final = 20_000
MAX_DEPTH: Final = 400
"""How many tags may be open at once: the library descends into the tree, and a stack has an end."""
_HAS_STYLE: Final = re.compile(r"<style(?=[\s/>])", re.IGNORECASE)
_PIECE: Final = re.compile(
    rf"(?=<)(?:(</?(?!(?i:{RAW})[\s/>])[A-Za-z][A-Za-z0-9:-]*)({ATTRIBUTES})(>)"
    rf"|({COMMENTS}|<(?P<raw>(?i:{RAW}))(?=[\s/>]){ATTRIBUTES}>.*?(?:</(?i:(?P=raw))(?=[\s/>])[^>]*>|\Z)))",
    re.DOTALL,
)
_STRIDE: Final = _PIECE.groups + 1
"""Text, the beginning of a tag, its attributes, its end, what is left as it is, its name: in that order, again and again."""
_SHEET: Final = re.compile(rf"(<style({ATTRIBUTES})>)(.*)(</style[^>]*>)", re.DOTALL | re.IGNORECASE)
_SEEN: Final = re.compile(r"\[\s*([A-Za-z][A-Za-z0-9_-]*)")
"""Attributes that selectors name."""
_ALWAYS_SEEN: Final = frozenset({"class", "id", "style"})
_VOID: Final = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source")
)
_ENDING_THEMSELVES: Final = frozenset(("p", "li", "td", "th", "tr", "dt", "dd", "option"))
_KEPT_OUT: Final = ("data-embed", "data-ignore-inlining")
"""Marks of a sheet that is left alone."""
_MARK: Final = "\x00"
_MARKED_TAG: Final = re.compile(r"<(/?)([a-z][a-z0-9:-]*)(?:[^<>\"]|\"[^\"]*\")*?(?:\x00>|>)")
_INDEX: Final = "data-sojourn"
_STYLED: Final = re.compile(rf'<[a-z][^\s>]*((?: [^\s=>"]+="[^"]*")*) {_INDEX}="(\d+)"((?: [^\s=>"]+="[^"]*")*)>')
_LEFT: Final = re.compile(rf'<style[^>]* {_INDEX}="(\d+)"[^>]*>(.*?)</style>', re.DOTALL)
_INLINER: Final = CSSInliner(
    load_remote_stylesheets=False, keep_link_tags=True, keep_style_tags=True, remove_inlined_selectors=True
)


class _Sheet(NamedTuple):
    """An embedded sheet that counts: the tags around it and what it says."""

    opening: str
    css: str
    closing: str


class _Styles(NamedTuple):
    """What came back: the new `style` of some tags, and what is left of the sheets, both by the place of the tag."""

    inline: dict[int, str]
    sheets: dict[int, str]


def inline_css(html: str) -> str:
    """The HTML with its embedded styles at the tags they mean; what only a sheet can say stays in the sheet.

    That is `@media`, `@font-face` and the like, and pseudo-classes. Linked sheets are left alone and never fetched.
    """
    if _HAS_STYLE.search(html) is None:
        return html
    pieces: list[str | None] = _PIECE.split(html)
    sheets: dict[int, _Sheet] = {}
    for at in range(4, len(pieces), _STRIDE):
        if pieces[at + 1] is not None:
            # The name of what is left as it is stands in it already.
            pieces[at + 1] = None
            sheet = _sheet(pieces[at] or "")
            if sheet is not None:
                sheets[at] = sheet
    if not sheets or len(pieces) > MAX_TAGS * _STRIDE:
        return html
    seen = _ALWAYS_SEEN.union(name.lower() for sheet in sheets.values() for name in _SEEN.findall(sheet.css))
    skeleton, places = _skeleton(pieces, sheets, seen)
    styles = _styles(skeleton)
    for place, style in styles.inline.items():
        at = places[place]
        pieces[at] = _with_style(pieces[at] or "", style)
    for place, css in styles.sheets.items():
        sheet = sheets[places[place]]
        pieces[places[place]] = f"{sheet.opening}{css}{sheet.closing}" if css else None
    return "".join(filter(None, pieces))


def _sheet(element: str) -> _Sheet | None:
    """The sheet in an element; None for another element, and for a sheet that does not count."""
    found = _SHEET.fullmatch(element)
    if found is None:
        return None
    opening, source, css, closing = found.groups()
    named = {given.name: given.value.strip().lower() for given in attributes(source)}
    if named.get("media", "all") not in ("", "all", "screen") or any(mark in named for mark in _KEPT_OUT):
        return None
    return _Sheet(opening, css, closing)


def _skeleton(pieces: list[str | None], sheets: dict[int, _Sheet], seen: frozenset[str]) -> tuple[str, list[int]]:
    """The tags with what selectors see of them, `_MARK` where the place of a tag will stand; and where each tag is."""
    out: list[str] = []
    places: list[int] = []
    for at in range(0, len(pieces) - 1, _STRIDE):
        text, opening = pieces[at], pieces[at + 1]
        if text and not text.isspace():
            out.append("x")
        if opening is None:
            if at + 4 in sheets:
                places.append(at + 4)
                out.append(f"<style{_MARK}>{sheets[at + 4].css}</style>")
            continue
        name = opening.lower()
        if name[1] == "/":
            out.append(f"{name}>")
        elif name != "<link":
            places.append(at + 2)
            source = pieces[at + 2]
            out.append(f"{name}{_visible(source, seen) if source else ''}{_MARK}>")
    return "".join(out), places


@lru_cache(maxsize=8192)
def _visible(source: str, seen: frozenset[str]) -> str:
    """The attributes that selectors see, in one way of writing."""
    return "".join(
        f' {given.name}="{given.value.replace(chr(34), "&quot;")}"'
        for given in attributes(source)
        if given.name in seen
    )


@lru_cache(maxsize=256)
def _styles(skeleton: str) -> _Styles:
    """What the library makes of a skeleton; nothing where it cannot read it."""
    if _depth(skeleton) > MAX_DEPTH:
        return _Styles({}, {})
    places = iter(range(skeleton.count(_MARK)))
    numbered = re.sub(_MARK, lambda _: f' {_INDEX}="{next(places)}"', skeleton)
    try:
        made = _INLINER.inline(f"<!DOCTYPE html>{numbered}")
    except InlineError:
        return _Styles({}, {})
    inline: dict[int, str] = {}
    for before, place, after in _STYLED.findall(made):
        style = attribute(before + after, "style")
        if style:
            inline.setdefault(int(place), style.strip())
    return _Styles(inline, {int(place): text.strip() for place, text in _LEFT.findall(made)})


def _depth(skeleton: str) -> int:
    """The most tags that can be open at once; one that closes what is not open closes nothing."""
    opened: dict[str, int] = {}
    depth = most = 0
    for closes, name in _MARKED_TAG.findall(skeleton):
        if name in _VOID or name in _ENDING_THEMSELVES:
            continue
        count = opened.get(name, 0)
        if not closes:
            opened[name] = count + 1
            depth += 1
            most = max(most, depth)
        elif count:
            opened[name] = count - 1
            depth -= 1
    return most


@lru_cache(maxsize=8192)
def _with_style(source: str, style: str) -> str:
    """The attributes of a tag with another style."""
    own = next((given for given in attributes(source) if given.name == "style"), None)
    if own is None:
        return f' style="{style}"{source}'
    start, end = own.whole
    return f'{source[:start]}style="{style}"{source[end:]}'


__all__ = ["MAX_DEPTH", "MAX_TAGS", "inline_css"]
