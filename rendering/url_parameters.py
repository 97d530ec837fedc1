"""Query parameters added to the links of an email (SUB-38, MSG-30)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape, unescape
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

from rendering.markup import Attribute, attributes, tags

_OFF: Final = "disable-url-params"
_OFF_FOR_OWN: Final = "data-ignore-params"


def add_parameters(
    html: str, workspace: Mapping[str, str], own: Mapping[str, str], *, untouched: str | None = None
) -> str:
    """HTML whose web links carry the workspace's parameters and the message's own, but for the link `untouched`.

    A link of class `disable-url-params` gets none of the workspace's, one with `data-ignore-params` none of the
    message's, and that mark is taken away.
    """
    if not workspace and not own:
        return html
    out: list[str] = []
    position = 0
    for tag in tags(html):
        if tag.closes or tag.name not in ("a", "area"):
            continue
        given = {found.name: found for found in attributes(tag.attributes)}
        changed = _changed(tag.attributes, given, workspace, own, untouched)
        out += [html[position : tag.attributes_at], changed]
        position = tag.attributes_at + len(tag.attributes)
    return "".join([*out, html[position:]])


def _changed(
    source: str,
    given: Mapping[str, Attribute],
    workspace: Mapping[str, str],
    own: Mapping[str, str],
    untouched: str | None,
) -> str:
    edits: list[tuple[int, int, str]] = []
    classes = given["class"].value.split() if "class" in given else []
    ignored = given.get(_OFF_FOR_OWN)
    if ignored is not None:
        edits.append((*ignored.whole, ""))
    href = given.get("href")
    if href is not None:
        url = unescape(href.value).strip()
        if url != untouched:
            general = {} if _OFF in classes else workspace
            extended = with_parameters(url, general, {} if ignored is not None else own)
            if extended != url:
                edits.append((href.start, href.end, escape(extended)))
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    return source


def with_parameters(url: str, workspace: Mapping[str, str], own: Mapping[str, str]) -> str:
    """A web address with parameters: the workspace's sorted and form-encoded, then the message's own.

    A parameter that the address has already wins over the workspace's; other addresses are left alone.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return url
    present = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = [f"{quote_plus(name)}={quote_plus(workspace[name])}" for name in sorted(workspace) if name not in present]
    added += [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in own.items()]
    if not added:
        return url
    query = "&".join([parts.query, *added] if parts.query else added)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, parts.fragment))


__all__ = ["add_parameters", "with_parameters"]
