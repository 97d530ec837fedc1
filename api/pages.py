"""Pages for people: templates that escape everything, and headers under which nothing foreign can run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

BASE_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


_SHARED: Final = Path(__file__).parent / "templates"


def environment(folder: Path) -> Environment:
    """The templates of a folder and those all share; an unknown name is an error, and everything shown is escaped."""
    return Environment(
        loader=FileSystemLoader([folder, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def policy(**sources: str) -> str:
    """A Content-Security-Policy that allows nothing but these: `style_src="'self'"`."""
    allowed = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        **{name.replace("_", "-"): value for name, value in sources.items()},
    }
    return "; ".join(f"{name} {value}".strip() for name, value in allowed.items())


def public_style(sheet: Path) -> str:
    """The style of a page that strangers see: what all of these pages share (`public.html`), and its own sheet."""
    return (_SHARED / "public.css").read_text() + sheet.read_text()


def style_hash(css: str) -> str:
    """The source expression that allows exactly this inline style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"


def html(text: str, csp: str, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """A page under a policy."""
    return HTMLResponse(text, status, {**BASE_HEADERS, "Content-Security-Policy": csp, **(headers or {})})


def described(answers: Mapping[int, str], or_json: Collection[int] = ()) -> dict[int | str, dict[str, Any]]:
    """For the API description: under which statuses a page is answered, and which of these may be JSON instead."""
    page: dict[str, Any] = {"text/html": {}}
    either = page | {"application/json": {}}
    return {
        status: {"description": said, "content": either if status in or_json else page}
        for status, said in answers.items()
    }


def render(templates: Environment, name: str, /, **context: Any) -> str:
    """The text of a template."""
    return templates.get_template(name).render(**context)


__all__ = ["BASE_HEADERS", "described", "environment", "html", "policy", "public_style", "render", "style_hash"]
