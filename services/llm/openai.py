"""Models spoken to as OpenAI's chat completions are, by many who provide them: the answer is JSON by a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from domain.llm_fields import parsed, schema_of
from services.llm.base import ANSWER, MOST_TOKENS, SYSTEM, Answered, Ask, LlmAccess, LlmFailure, refusal, usage

BASE_URL: Final = "https://api.openai.com/v1"


class OpenAI:
    """`POST /chat/completions`."""

    name: ClassVar[str] = "openai"

    def __init__(self, access: LlmAccess) -> None:
        self._access = access

    @property
    def url(self) -> str:
        """Where completions are made."""
        return f"{self._access.base_url.rstrip('/')}/chat/completions"

    def request(self, ask: Ask) -> tuple[Mapping[str, str], dict[str, Any]]:
        """One conversation; a strict schema names every field as required, and what may be left out as null."""
        schema = schema_of(ask.fields, all_required=True)
        body = {
            "model": ask.model,
            "max_completion_tokens": MOST_TOKENS,
            "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ask.prompt}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": ANSWER, "strict": True, "schema": schema},
            },
        }
        return {"authorization": f"Bearer {self._access.api_key}"} if self._access.api_key else {}, body

    def read(self, status: int, body: Any) -> Answered:
        """The JSON that the model wrote."""
        tokens = usage(body, "total_tokens")
        if status != 200:
            raise LlmFailure(refusal(status, body), tokens)
        choices = body.get("choices") if isinstance(body, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        message = choice.get("message")
        if not isinstance(message, dict):
            raise LlmFailure("the model gave no answer", tokens)
        if isinstance(message.get("refusal"), str):
            raise LlmFailure(f"the model refused: {message['refusal'][:500]}", tokens)
        content = message.get("content")
        output = parsed(content) if isinstance(content, str) else None
        if output is None:
            raise LlmFailure(f"the answer is no JSON ({choice.get('finish_reason')})", tokens)
        return Answered(output, tokens)


__all__ = ["BASE_URL", "OpenAI"]
