"""What a language model is asked to answer: typed fields, the schema they make, and whether an answer fits it (ACT-34)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, StrictBool, model_validator

from domain.documents import Document, Refusal, refused
from domain.journey_attributes import LONGEST_NAME
from domain.values import read_json

FieldType = Literal[
    "text", "number", "integer", "boolean", "date", "datetime", "time", "list", "select", "multi_select"
]
CHOSEN: Final = frozenset({"select", "multi_select"})
_BEYOND: Final = 2**63
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_TIME = re.compile(r"\d{2}:\d{2}:\d{2}")
_SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date", "description": "A date like 2026-03-31."},
    "datetime": {"type": "string", "format": "date-time", "description": "An instant like 2026-03-31T14:30:00Z."},
    "time": {"type": "string", "description": "A time of day like 14:30:00."},
    "list": {"type": "array", "items": {"type": "string"}},
}


class LlmField(Document):
    """One field of the answer: what it is called, what it holds, where it is kept, and what stands in for it."""

    nullable: ClassVar[frozenset[str]] = frozenset()

    name: str = Field(min_length=1)
    type: FieldType
    description: str | None = None
    required: StrictBool = True
    options: tuple[Annotated[str, Field(strict=True)], ...] | None = None
    target: Literal["journey", "customer"] = "journey"
    fallback: Any = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        """Nothing to choose from and nothing to stand in may be said with null."""
        if not isinstance(value, dict):
            return value
        return {name: item for name, item in value.items() if item is not None or name not in ("options", "fallback")}

    @model_validator(mode="after")
    def _fits(self) -> LlmField:
        refusals = list(self._refusals())
        if refusals:
            raise refused(*refusals)
        return self

    def _refusals(self) -> Iterable[Refusal]:
        if len(self.name.encode(errors="replace")) > LONGEST_NAME:
            yield Refusal("length", f"A name has at most {LONGEST_NAME} bytes.", ("name",), self.name)
        if self.target == "customer" and self.name.startswith("_"):
            message = f"The attribute '{self.name}' is internal: it starts with '_'."
            yield Refusal("internal_attribute", message, ("name",), self.name)
        if self.type in CHOSEN and self.options is None:
            yield Refusal("required", "Say what can be chosen.", ("options",))
        elif self.type in CHOSEN and self.options is not None:
            yield from self._refusals_of(self.options)
        elif self.options is not None:
            yield Refusal("not_applicable", "Only select and multi_select choose from options.", ("options",))
        if self.fallback is not None and (why := fault(self, self.fallback)) is not None:
            yield Refusal("type", f"It does not fit the field: {why}.", ("fallback",), self.fallback)

    def _refusals_of(self, options: Sequence[str]) -> Iterable[Refusal]:
        if not options:
            yield Refusal("length", "Give at least one.", ("options",), options)
        for index, option in enumerate(options):
            if option in options[:index]:
                yield Refusal("duplicate", f"'{option}' is there already.", ("options", index), option)


def schema_of(fields: Sequence[LlmField], *, all_required: bool = False) -> dict[str, Any]:
    """The JSON schema of an answer. With `all_required` nothing is left out, and what is not required may be null."""
    properties = {field.name: _schema(field, nullable=all_required and not field.required) for field in fields}
    required = [field.name for field in fields if all_required or field.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(field: LlmField, *, nullable: bool) -> dict[str, Any]:
    options = list(field.options or ())
    if field.type == "select":
        schema: dict[str, Any] = {"type": "string", "enum": options}
    elif field.type == "multi_select":
        schema = {"type": "array", "items": {"type": "string", "enum": options}}
    else:
        schema = dict(_SCHEMAS[field.type])
    if field.description:
        own = schema.get("description")
        schema["description"] = field.description if own is None else f"{field.description} {own}"
    if nullable:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*options, None]
    return schema


def read_output(fields: Sequence[LlmField], output: Any) -> tuple[dict[str, Any], str | None]:
    """The values of an answer, and why it fits the fields not, None where it does; what it leaves out is not among them."""
    if not isinstance(output, dict):
        return {}, "the answer is no object"
    values: dict[str, Any] = {}
    for field in fields:
        value = output.get(field.name)
        if value is None:
            if field.required:
                return {}, f"'{field.name}' is missing"
            continue
        why = fault(field, value)
        if why is not None:
            return {}, f"'{field.name}': {why}"
        values[field.name] = int(value) if field.type == "integer" else value
    strange = [name for name in output if name not in {field.name for field in fields}]
    return (values, None) if not strange else ({}, f"'{strange[0]}' was not asked for")


def fault(field: LlmField, value: Any) -> str | None:  # noqa: PLR0911 - one answer a type
    """Why a value does not fit a field, None where it does."""
    if field.type == "boolean":
        return None if isinstance(value, bool) else "it is not true or false"
    if field.type in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return "it is no number"
        if abs(value) >= _BEYOND:
            return "it is too large"
        return "it is not a whole number" if field.type == "integer" and value != int(value) else None
    if field.type in ("list", "multi_select"):
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            return "it is no list of texts"
        strange = [item for item in value if field.type == "multi_select" and item not in (field.options or ())]
        return f"'{strange[0]}' is none of the options" if strange else None
    if not isinstance(value, str):
        return "it is no text"
    if field.type == "select":
        return None if value in (field.options or ()) else f"'{value}' is none of the options"
    return None if _reads(field.type, value) else f"it is no {field.type}"


def _reads(kind: FieldType, text: str) -> bool:
    try:
        match kind:
            case "date":
                return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
            case "datetime":
                return _DATETIME.fullmatch(text) is not None and bool(datetime.fromisoformat(text.upper()))
            case "time":
                return _TIME.fullmatch(text) is not None and time.fromisoformat(text) is not None
            case _:
                return True
    except ValueError:
        return False


def parsed(text: str) -> Any:
    """The JSON value of what a model wrote; None where it is none."""
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        return None


__all__ = ["CHOSEN", "FieldType", "LlmField", "fault", "parsed", "read_output", "schema_of"]
