"""Webhook: a call with any JSON begins a journey whose subject is what was sent (CMP-09)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from domain.definitions.triggers.base import TriggerBase


class WebhookTrigger(TriggerBase):
    """One journey per call to the campaign's own URL; there is no person. `sample` serves previews."""

    nullable: ClassVar[frozenset[str]] = frozenset({"sample"})
    filtered: ClassVar[bool] = False
    has_person: ClassVar[bool] = False

    type: Literal["webhook"]
    sample: Any = None
