"""Forms: sent by backends as JSON with a Track pair, or by browsers straight from a page (API-33)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from api.forms import action, submissions

ROUTERS: Final[tuple[APIRouter, ...]] = (submissions.router, action.router)

__all__ = ["ROUTERS"]
