"""What all authored documents share: strict frozen models, keys and references, and refusals that point at a field."""

from __future__ import annotations

import re
from collections.abc import Sized
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from domain.zones import zone_named

KEY_PATTERN = r"^[a-z][a-z0-9_-]{0,63}$"
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,63}")

_Sized = TypeVar("_Sized", bound=Sized)

Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
NonEmptyText = Annotated[str, StringConstraints(min_length=1)]


def _known_zone(name: str) -> str:
    if zone_named(name) is None:
        raise refused(Refusal("format", "Not an IANA time zone; write it like 'Europe/Rome'.", (), name))
    return name.strip()


TimeZone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a region with a clock of its own."""


class Refusal(NamedTuple):
    """One reason why an authored value is refused: a contract code, a sentence, and the way to the field from here."""

    code: str
    message: str
    at: tuple[str | int, ...] = ()
    value: Any = None


def refused(*refusals: Refusal) -> ValidationError:
    """The error a validator raises to refuse with contract codes; inside a model pydantic prepends where the model stands."""
    return ValidationError.from_exception_data(
        "document",
        [
            InitErrorDetails(
                # A literal brace would be read as a placeholder, so the sentence goes in as context.
                type=PydanticCustomError(r.code, "{sentence}", {"sentence": r.message}),
                loc=r.at,
                input=r.value,
            )
            for r in refusals
        ],
    )


class Document(BaseModel):
    """Base of authored models: frozen, unknown fields refused, wire names in and out, what is absent stays absent.

    A field that is None is left out of the wire form unless `nullable` names it, and null is refused for it on the way in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    nullable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _refuse_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            # Fields of another kind than None say so themselves.
            optional = {f.alias or name for name, f in cls.model_fields.items() if f.default is None} - cls.nullable
            nulls = [
                Refusal("type", "This field cannot be null; leave it out instead.", (name,))
                for name in value
                if name in optional and value[name] is None
            ]
            if nulls:
                raise refused(*nulls)
        return value

    @model_serializer(mode="wrap")
    def _omit_absent(self, handler: SerializerFunctionWrapHandler, _info: SerializationInfo) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        return {name: value for name, value in dumped.items() if value is not None or name in self.nullable}


def _some(items: _Sized) -> _Sized:
    if not items:
        raise refused(Refusal("length", "Give at least one.", (), items))
    return items


NonEmpty = AfterValidator(_some)
"""For collections that may not be empty; unlike a minimum length it stays silent where an element is wrong."""


def _read_ref(value: Any, _handler: ValidatorFunctionWrapHandler) -> str | int:
    if isinstance(value, str):
        if _KEY.fullmatch(value):
            return value
        raise refused(Refusal("format", f"A key matches {KEY_PATTERN}.", (), value))
    if isinstance(value, int) and not isinstance(value, bool):
        if value >= 1:
            return value
        raise refused(Refusal("range", "An id is 1 or more.", (), value))
    raise refused(Refusal("type", "A reference is a key or an integer id.", (), value))


Reference = Annotated[str | int, WrapValidator(_read_ref)]
"""The author's key or the server's integer id of another document."""
