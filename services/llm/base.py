"""What asking a language model takes and brings, whoever provides it (ACT-34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol

from domain.llm_fields import LlmField

ANSWER: Final = "answer"
"""What the answer is called towards models."""
SYSTEM: Final = (
    "You fill in the fields of a record for an automated workflow. Use only what the request says; give every field in "
    "the form that its schema asks for; leave out what you cannot know, unless it is required. Add nothing else."
)
MOST_TOKENS: Final = 4096


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: the rendered prompt, and the fields of the answer."""

    model: str
    prompt: str
    fields: Sequence[LlmField]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model answered, as it came, and how many tokens that took."""

    output: Any
    tokens: int


@dataclass(frozen=True)
class LlmAccess:
    """How a provider is reached: where it answers, and the key it knows us by."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)


class LlmFailure(Exception):
    """The model gave no answer; `tokens` were used all the same."""

    def __init__(self, reason: str, tokens: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.tokens = tokens


class Provider(Protocol):
    """One way to speak to language models."""

    name: ClassVar[str]

    @property
    def url(self) -> str:
        """The address that is called."""

    def request(self, ask: Ask) -> tuple[Mapping[str, str], dict[str, Any]]:
        """Headers and body of the call."""

    def read(self, status: int, body: Any) -> Answered:
        """The answer in what came back; raises LlmFailure."""


def usage(body: Any, *names: str) -> int:
    """The sum of these counts in the `usage` of an answer."""
    counts = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(counts, dict):
        return 0
    found = [counts.get(name) for name in names]
    return sum(count for count in found if isinstance(count, int) and not isinstance(count, bool) and count > 0)


def refusal(status: int, body: Any) -> str:
    """Why an answer with this status is none, in the provider's words where it has any."""
    error = body.get("error") if isinstance(body, dict) else None
    said = error.get("message") if isinstance(error, dict) else None
    return f"status {status}: {said[:500]}" if isinstance(said, str) and said else f"status {status}"


__all__ = [
    "ANSWER",
    "MOST_TOKENS",
    "SYSTEM",
    "Answered",
    "Ask",
    "LlmAccess",
    "LlmFailure",
    "Provider",
    "refusal",
    "usage",
]
