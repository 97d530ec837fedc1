"""The values of data blocks, computed from what a template of the same place would see (ACT-21, ACT-22)."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from time import thread_time
from typing import Any, Final, TypeVar

from domain.data_values import JavascriptValue, LiquidValue, StaticValue, read_rendered
from domain.errors import DomainError
from domain.lookups import Lookup
from domain.values import check_json
from rendering import javascript
from rendering.errors import RenderError
from rendering.javascript import TOGETHER, UNDEFINED, Job
from rendering.liquid import render

_Name = TypeVar("_Name", bound=Hashable)
_NOTHING: Final[Mapping[str, Any]] = {}


async def compute(values: Mapping[_Name, Any], context: Mapping[str, Any], now: datetime) -> dict[_Name, Any]:
    """What authored values stand for, by their names: None where a path leads nowhere or a template says nothing.

    A script that returns undefined leaves its name out. Raises RenderError where one fails: the block fails as a whole.
    """
    (computed,) = await compute_each(values, context, [_NOTHING], now)
    return computed


async def compute_each(
    values: Mapping[_Name, Any],
    context: Mapping[str, Any],
    own: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    seconds: float = TOGETHER,
) -> list[dict[_Name, Any]]:
    """The same over and over, each time with other variables of its own beside those common to all.

    Templates and scripts may each take so many `seconds` in all.
    """
    left = seconds
    found: list[dict[_Name, Any]] = [{} for _ in own]
    scripts: list[tuple[Job, _Name]] = []
    for number, variables in enumerate(own):
        # Others want to go on, too, and the one who does this to tell that it still lives.
        await asyncio.sleep(0)
        begun = thread_time()
        here = {**context, **variables}
        for name, value in values.items():
            if isinstance(value, JavascriptValue):
                scripts.append((Job(value.javascript, number), name))
                # Its place among the names; what it returns is filled in below.
                found[number][name] = UNDEFINED
            else:
                found[number][name] = _plain(value, here, now)
        left -= thread_time() - begun
        if left < 0:
            raise RenderError(f"All values together take longer than {seconds:g} s")
    if scripts:
        results = await javascript.run([job for job, _ in scripts], context, own, now, seconds=seconds)
        for (job, name), result in zip(scripts, results, strict=True):
            found[job.number][name] = result
    return [{name: value for name, value in one.items() if value is not UNDEFINED} for one in found]


def _plain(value: Any, context: Mapping[str, Any], now: datetime) -> Any:
    if isinstance(value, StaticValue):
        return value.static
    if isinstance(value, Lookup):
        return _looked_up(value, context)
    if isinstance(value, LiquidValue):
        return read_value(render(value.liquid, context, now=now))
    return value


def read_value(text: str) -> Any:
    """What a rendered template means as a value; raises RenderError where it cannot be kept."""
    value = read_rendered(text)
    try:
        check_json(value)
    except DomainError as error:
        # JSON can say by an escape what cannot be kept.
        raise RenderError(error.message) from None
    return value


def _looked_up(lookup: Lookup, context: Mapping[str, Any]) -> Any:
    root = context.get(lookup.root)
    found = lookup.path.read(root) if isinstance(root, Mapping) else ()
    return found[0] if found else None


__all__ = ["TOGETHER", "compute", "compute_each", "read_value"]
