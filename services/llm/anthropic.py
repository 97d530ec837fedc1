"""Models spoken to as Anthropic's Messages API is: the answer is the input of a tool that has to be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from domain.llm_fields import schema_of
from services.llm.base import ANSWER, MOST_TOKENS, SYSTEM, Answered, Ask, LlmAccess, LlmFailure, refusal, usage

VERSION: Final = "2023-06-01"
BASE_URL: Final = "https://api.anthropic.com"


class Anthropic:
    """`POST /v1/messages`."""

    name: ClassVar[str] = "anthropic"

    def __init__(self, access: LlmAccess) -> None:
        self._access = access

    @property
    def url(self) -> str:
        """Where messages are made."""
        return f"{self._access.base_url.rstrip('/')}/v1/messages"

    def request(self, ask: Ask) -> tuple[Mapping[str, str], dict[str, Any]]:
        """One message, with the answer as the only tool."""
        tool = {"name": ANSWER, "description": "Give the answer.", "input_schema": schema_of(ask.fields)}
        body = {
            "model": ask.model,
            "max_tokens": MOST_TOKENS,
            "system": SYSTEM,
            "messages": [{"role": "user", "content": ask.prompt}],
            "tools": [tool],
            "tool_choice": {"type": "tool", "name": ANSWER},
        }
        headers = {"anthropic-version": VERSION}
        return headers | ({"x-api-key": self._access.api_key} if self._access.api_key else {}), body

    def read(self, status: int, body: Any) -> Answered:
        """The input that the model gave the tool."""
        tokens = usage(body, "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        if status != 200:
            raise LlmFailure(refusal(status, body), tokens)
        content = body.get("content") if isinstance(body, dict) else None
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and part.get("type") == "tool_use" and part.get("name") == ANSWER:
                return Answered(part.get("input"), tokens)
        why = body.get("stop_reason") if isinstance(body, dict) else None
        raise LlmFailure(f"the model gave no answer ({why})", tokens)


__all__ = ["BASE_URL", "VERSION", "Anthropic"]
