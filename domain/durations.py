"""Spans of time as documents write them: ISO 8601 of weeks, days, hours, minutes and seconds, or whole seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

DURATION_PATTERN = r"^P(?=\d|T\d)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$"
MAX_SECONDS = 36_525 * 86_400
_ISO = re.compile(
    r"P(?=\d|T\d)(?:(\d{1,12})W)?(?:(\d{1,12})D)?(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})S)?)?", re.ASCII
)
_UNIT_SECONDS = (604_800, 86_400, 3_600, 60, 1)


def parse_duration(raw: Any) -> timedelta:
    """The span that `PT45M` or `2700` means; a day is 86,400 s whatever the clocks do (ACT-05).

    Raises PydanticCustomError: `type`, `format` (months and years included) or `range` (negative, over 100 years).
    """
    if isinstance(raw, int) and not isinstance(raw, bool):
        seconds = raw
    elif isinstance(raw, str):
        found = _ISO.fullmatch(raw)
        if found is None:
            message = "Write a duration like P7D, PT45M or P1DT12H; months and years are not allowed."
            raise PydanticCustomError("format", message)
        seconds = sum(int(n) * unit for n, unit in zip(found.groups(), _UNIT_SECONDS, strict=True) if n is not None)
    else:
        raise PydanticCustomError("type", "A duration is an ISO 8601 text such as P7D or a whole number of seconds.")
    if not 0 <= seconds <= MAX_SECONDS:
        raise PydanticCustomError("range", "A duration is at least 0 seconds and at most 100 years.")
    return timedelta(seconds=seconds)


def format_duration(span: timedelta) -> str:
    """The ISO 8601 text of a span of whole seconds, 0 or more: days, hours, minutes, seconds (`PT0S` for none)."""
    minutes, seconds = divmod(span // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    day = f"{days}D" if days else ""
    return f"P{day}" + (f"T{time}" if time else "") if day or time else "PT0S"


@dataclass(frozen=True)
class Duration:
    """A span in a document, usable as a pydantic field type: what was written (`raw`) and what it means (`delta`).

    It goes back to the wire as it came: `P7D` stays `P7D`, `604800` stays `604800`.
    """

    raw: str | int
    delta: timedelta

    @classmethod
    def of(cls, raw: Any) -> Self:
        """The duration that a wire value means; raises as `parse_duration` does."""
        return raw if isinstance(raw, cls) else cls(raw, parse_duration(raw))

    @property
    def seconds(self) -> int:
        """Whole seconds."""
        return self.delta // timedelta(seconds=1)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.of, serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.raw)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}]}
