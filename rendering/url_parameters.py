"""Query parameters added to the links of an email (SUB-38, MSG-30)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from html import escape, unescape
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus

from rendering.markup import attributes, links

_WEB: Final = re.compile(
    r"(https?://(?:[^/?#\s\\\[\]]+|[^/?#\s\\\[\]]*\[[0-9a-f:.]+\](?::\d*)?))([^?#]*)(?:\?([^#]*))?(#.*)?",
    re.DOTALL | re.IGNORECASE,
)
_OFF: Final = "disable-url-params"
_OFF_FOR_OWN: Final = "data-ignore-params"


def add_parameters(
    html: str, workspace: Mapping[str, str], own: Mapping[str, str], *, untouched: Collection[str] = ()
) -> str:
    """HTML whose web links carry the workspace's parameters and the message's own, but for the links `untouched`.

    A link of class `disable-url-params` gets none of the workspace's, one with `data-ignore-params` none of the
    message's, and that mark is taken away.
    """
    if not workspace and not own:
        return html
    added = _Added(_encoded(workspace), _own(own))
    out: list[str] = []
    position = 0
    for at, source in links(html):
        out += [html[position:at], _changed(source, added, untouched)]
        position = at + len(source)
    return "".join([*out, html[position:]])


class _Added(NamedTuple):
    """What is added to addresses, encoded: the workspace's by their names, and the message's own."""

    workspace: Mapping[str, str]
    own: Sequence[str]


def _encoded(workspace: Mapping[str, str]) -> dict[str, str]:
    return {name: f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(workspace.items())}


def _own(parameters: Mapping[str, str]) -> list[str]:
    return [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items()]


def _changed(source: str, added: _Added, untouched: Collection[str]) -> str:
    """The attributes of a link with another address."""
    edits: list[tuple[int, int, str]] = []
    href, classes = None, ""
    for given in attributes(source):
        if given.name == "href":
            href = href or given
        elif given.name == "class":
            classes = given.value
        elif given.name == _OFF_FOR_OWN:
            edits.append((*given.whole, ""))
            added = _Added(added.workspace, ())
    if _OFF in classes.split():
        added = _Added({}, added.own)
    if href is not None:
        url = unescape(href.value).strip()
        extended = url if url in untouched else _extended(url, added)
        if extended != url:
            edits.append((href.start, href.end, escape(extended)))
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    return source


def with_parameters(url: str, workspace: Mapping[str, str], own: Mapping[str, str]) -> str:
    """A web address with parameters: the workspace's sorted and form-encoded, then the message's own.

    A parameter that the address has already wins over the workspace's; other addresses are left alone.
    """
    return _extended(url, _Added(_encoded(workspace), _own(own)))


def _extended(url: str, added: _Added) -> str:
    found = _WEB.fullmatch(url)
    if found is None:
        return url
    site, path, query, fragment = found.groups(default="")
    present = {name for name, _ in parse_qsl(query, keep_blank_values=True)} if query and added.workspace else ()
    parameters = [text for name, text in added.workspace.items() if name not in present]
    parameters += added.own
    if not parameters:
        return url
    return f"{site}{path or '/'}?{'&'.join([query, *parameters] if query else parameters)}{fragment}"


__all__ = ["add_parameters", "with_parameters"]
