"""The registry of tags: one file per group (MSG-07, MSG-08)."""

from __future__ import annotations

from typing import Final

from liquid import Environment

from rendering.tags import (
    assigning,
    chance,
    cio_link,
    conditions,
    illegal,
    links,
    liquid_lines,
    loops,
    output,
    render_liquid,
)
from rendering.tags.cio_link import URL_PARAMETERS
from rendering.tags.links import PREFERENCES_URL, UNSUBSCRIBE_URL, VIEW_URL

GROUPS: Final = (assigning, chance, cio_link, conditions, illegal, links, liquid_lines, loops, output, render_liquid)
"""What adds tags; a new group is its own file and one name here."""
_LOADING: Final = ("include", "render")
"""The tags that would load other templates, of which there are none."""


def register(env: Environment) -> None:
    """Put the dialect's tags in the place of python-liquid's, and beside them."""
    for group in GROUPS:
        group.register(env)
    for name in _LOADING:
        env.tags.pop(name, None)


__all__ = ["GROUPS", "PREFERENCES_URL", "UNSUBSCRIBE_URL", "URL_PARAMETERS", "VIEW_URL", "register"]
