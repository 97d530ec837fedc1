"""Providers of language models: a new one is its own file and one line here (ACT-34)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from services.llm import anthropic, openai
from services.llm.base import LlmAccess, Provider

_MADE: Final[Mapping[str, tuple[Callable[[LlmAccess], Provider], str]]] = {
    "anthropic": (anthropic.Anthropic, anthropic.BASE_URL),
    "openai": (openai.OpenAI, openai.BASE_URL),
}
PROVIDERS: Final = tuple(_MADE)
"""Every provider that is called over HTTP."""


def provider(name: str, access: LlmAccess | None) -> Provider | None:
    """The provider of that name, at its own address where `access` says no other; None for one that nobody knows."""
    if name not in _MADE:
        return None
    make, usual = _MADE[name]
    return make(access if access is not None else LlmAccess(usual))


def access_to(**given: tuple[str | None, str | None]) -> dict[str, LlmAccess]:
    """How a deployment reaches each provider, given address and key by name; those with neither are not there."""
    return {
        name: LlmAccess(base_url or _MADE[name][1], api_key)
        for name, (base_url, api_key) in given.items()
        if base_url is not None or api_key is not None
    }


__all__ = ["PROVIDERS", "LlmAccess", "Provider", "access_to", "provider"]
