"""What may stand as the `value` of a comparison; each wrong shape is one error at that value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import core_schema

from domain.documents import Refusal, refused
from domain.durations import DURATION_PATTERN, Duration
from domain.facts import Facts
from domain.lookups import LOOKUP_PATTERN, Lookup, read_lookup
from domain.patterns import compile_text
from domain.values import LAST_TIMESTAMP, as_timestamp

MAX_CHOICES = 100
_NUMBER_TEXT = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?")


def refuse(code: str, message: str, value: Any) -> Exception:
    """One refusal at the operand itself."""
    return refused(Refusal(code, message, (), value))


def read_scalar(raw: Any) -> str | int | float | bool:
    """A non-empty text, a finite number or a boolean."""
    if isinstance(raw, str):
        if not raw:
            raise refuse("length", "A comparison needs a value that is not empty.", raw)
        return raw
    if isinstance(raw, bool | int) or (isinstance(raw, float) and math.isfinite(raw)):
        return raw
    raise refuse("type", "The value is a text, a number or a boolean.", raw)


def _read_operand(raw: Any) -> Any:
    if isinstance(raw, Lookup):
        return raw
    if isinstance(raw, dict):
        return _read_lookup(raw, 'The value is a text, a number, a boolean or {"from": path}.')
    return read_scalar(raw)


def _read_text(raw: Any) -> Any:
    if isinstance(raw, Lookup):
        return raw
    if isinstance(raw, dict):
        return _read_lookup(raw, 'The value is a text or {"from": path}.')
    if not isinstance(raw, str):
        raise refuse("type", "The value is a text; numbers are searched as text, too: write them in quotes.", raw)
    if not compile_text(raw).alternatives:
        message = "There is nothing to look for: `|` is or, `+` is and; write `\\|` and `\\+` for the characters."
        raise refuse("length", message, raw)
    return raw


def _read_number(raw: Any) -> Any:
    if isinstance(raw, Lookup):
        return raw
    if isinstance(raw, dict):
        return _read_lookup(raw, 'The value is a number or {"from": path}.')
    if isinstance(raw, str) and not _NUMBER_TEXT.fullmatch(raw):
        raise refuse("format", "The value is a number, or a text of digits like -12.5.", raw)
    if isinstance(raw, bool):
        raise refuse("type", "The value is a number.", raw)
    return read_scalar(raw)


def _read_choices(raw: Any) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple):
        raise refuse("type", "The value is a list of texts, numbers and booleans.", raw)
    if not 1 <= len(raw) <= MAX_CHOICES:
        raise refuse("length", f"The list holds 1 to {MAX_CHOICES} values.", None)
    return tuple(read_scalar(item) for item in raw)


def _read_lookup(raw: dict[str, Any], message: str) -> Lookup:
    if "from" not in raw:
        raise refuse("type", message, raw)
    return Lookup.model_validate(raw)


_LOOKUP_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["from"],
    "properties": {"from": {"type": "string", "pattern": LOOKUP_PATTERN}},
}
_SCALAR_SCHEMAS: list[dict[str, Any]] = [{"type": "string", "minLength": 1}, {"type": "number"}, {"type": "boolean"}]

Operand = Annotated[Any, PlainValidator(_read_operand), WithJsonSchema({"oneOf": [*_SCALAR_SCHEMAS, _LOOKUP_SCHEMA]})]
"""A scalar or a lookup."""
TextOperand = Annotated[
    Any, PlainValidator(_read_text), WithJsonSchema({"oneOf": [{"type": "string", "minLength": 1}, _LOOKUP_SCHEMA]})
]
"""A text or a lookup."""
NumberOperand = Annotated[
    Any,
    PlainValidator(_read_number),
    WithJsonSchema({"oneOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, _LOOKUP_SCHEMA]}),
]
"""A number, a numeric text or a lookup."""
Choices = Annotated[
    tuple[Any, ...],
    PlainValidator(_read_choices),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "minItems": 1, "maxItems": MAX_CHOICES, "items": {"oneOf": _SCALAR_SCHEMAS}}),
]
"""1 to 100 scalars."""


@dataclass(frozen=True)
class Instant:
    """A point in time in a comparison: fixed, a duration before or after now, or looked up; usable as a field type."""

    fixed: int | None = None
    ago: Duration | None = None
    from_now: Duration | None = None
    lookup: Lookup | None = None

    @property
    def moves(self) -> bool:
        """Whether it moves with the clock."""
        return self.ago is not None or self.from_now is not None

    @property
    def offset(self) -> int:
        """Seconds it lies after now, where it moves."""
        return -self.ago.seconds if self.ago else self.from_now.seconds if self.from_now else 0

    def bound(self, facts: Facts) -> Self | None:
        """Itself with the lookup replaced by what it finds, None where that is no timestamp."""
        if self.lookup is None:
            return self
        found = as_timestamp(read_lookup(self.lookup.from_, facts))
        return None if found is None else type(self)(fixed=found)

    def at(self, now: int) -> int | None:
        """Unix seconds of the point, seen from `now`; None for a lookup not bound."""
        return now + self.offset if self.moves else self.fixed

    def reached(self, value: int, now: int) -> int | None:
        """The Unix second at which the point is exactly `value`, if that is still to come by the clock."""
        at = value - self.offset
        return at if self.moves and at > now else None

    def dump(self) -> Any:
        """The wire form."""
        if self.lookup is not None:
            return {"from": self.lookup.from_}
        if self.ago is not None:
            return {"ago": self.ago.raw}
        return self.fixed if self.from_now is None else {"from_now": self.from_now.raw}

    @classmethod
    def read(cls, raw: Any) -> Self:
        """The instant a wire value means; raises ValidationError."""
        if isinstance(raw, cls):
            return raw
        if isinstance(raw, int) and not isinstance(raw, bool):
            if not 0 <= raw < LAST_TIMESTAMP:
                raise refuse("range", "An instant is given in Unix seconds, 0 to 99999999999.", raw)
            return cls(fixed=raw)
        if isinstance(raw, dict) and len(raw) == 1:
            if "from" in raw:
                return cls(lookup=Lookup.model_validate(raw))
            if "ago" in raw:
                return cls(ago=Duration.of(raw["ago"]))
            if "from_now" in raw:
                return cls(from_now=Duration.of(raw["from_now"]))
        message = 'An instant is Unix seconds, {"ago": duration}, {"from_now": duration} or {"from": path}.'
        raise refuse("type", message, raw)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.read, serialization=core_schema.plain_serializer_function_ser_schema(cls.dump)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        duration = {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}]}
        moving = [
            {"type": "object", "additionalProperties": False, "required": [word], "properties": {word: duration}}
            for word in ("ago", "from_now")
        ]
        fixed = {"type": "integer", "minimum": 0, "maximum": LAST_TIMESTAMP - 1}
        return {"oneOf": [fixed, *moving, _LOOKUP_SCHEMA]}
