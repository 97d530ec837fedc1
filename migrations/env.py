"""Runs migrations on the database of SOJOURN_DATABASE_URL, one transaction each, beside whatever else works on it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from alembic import context

import models  # noqa: F401  (fills the metadata)
from migrations.running import PATIENCE, bring_up


def _url() -> str:
    """What the caller gives, else what the settings name."""
    url = context.config.attributes.get("database_url") or os.environ.get("SOJOURN_DATABASE_URL")
    if not url:
        from settings import load

        url = load().database_url
    if not url:
        raise SystemExit("Set SOJOURN_DATABASE_URL to the postgresql:// URL to migrate.")
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def _patience() -> float:
    given: Any = context.config.attributes.get("patience")
    return float(given or context.get_x_argument(as_dictionary=True).get("patience", PATIENCE))


def _say() -> Callable[[str], None]:
    say: Callable[[str], None] = context.config.attributes.get("say", print)
    return say


asyncio.run(bring_up(_url(), patience=_patience(), say=_say()))
