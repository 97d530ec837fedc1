"""How often something must have happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from domain.documents import Refusal, refused

Word = Literal["at_least", "at_most", "exactly"]
_LEAST: Mapping[Word, int] = {"at_least": 1, "at_most": 0, "exactly": 0}
MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Times:
    """A count test: `{"at_least": 2}`, `{"at_most": 1}` or `{"exactly": 0}`."""

    word: Word = "at_least"
    count: int = 1

    def allows(self, count: int) -> bool:
        """Whether a count passes."""
        if self.word == "at_least":
            return count >= self.count
        return count <= self.count if self.word == "at_most" else count == self.count

    @property
    def zero_passes(self) -> bool:
        """Whether never having done it passes, which makes the test a negative one (PPL-35)."""
        return self.allows(0)

    def dump(self) -> dict[str, int]:
        """The wire form."""
        return {self.word: self.count}

    def describe(self) -> str:
        """The test in words."""
        often = "once" if self.count == 1 else "twice" if self.count == 2 else f"{self.count} times"
        return f"{self.word.replace('_', ' ')} {often}"

    @classmethod
    def parse(cls, raw: Any) -> Self:
        """The count test a wire value means; raises ValidationError."""
        if isinstance(raw, cls):
            return raw
        if not isinstance(raw, dict):
            raise refused(Refusal("type", 'Write {"at_least": n}, {"at_most": n} or {"exactly": n}.', (), raw))
        unknown = [name for name in raw if name not in _LEAST]
        if unknown:
            raise refused(
                *(Refusal("unknown_field", f"Use one of {', '.join(_LEAST)}.", (str(n),), n) for n in unknown)
            )
        if len(raw) != 1:
            raise refused(Refusal("length", f"Give exactly one of {', '.join(_LEAST)}.", (), raw))
        word, count = next(iter(raw.items()))
        if not isinstance(count, int) or isinstance(count, bool):
            raise refused(Refusal("type", "A count is a whole number.", (word,), count))
        if not _LEAST[word] <= count <= MOST:
            raise refused(
                Refusal("range", f"This count is at least {_LEAST[word]} and at most {MOST}.", (word,), count)
            )
        return cls(word, count)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(cls.dump)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        counts = {word: {"type": "integer", "minimum": least} for word, least in _LEAST.items()}
        return {"type": "object", "properties": counts, "minProperties": 1, "maxProperties": 1}
