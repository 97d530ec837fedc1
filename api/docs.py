"""The API description and its page, which loads nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

ASSETS: Final = "/docs/assets"
ABOUT: Final = """\
Facts come in through the **Track API** and the **Pipelines API**, in the vendor's own shapes; everything else is the **management API**.

A 2xx from them means stored, not yet applied: what is read afterwards may lag by a moment, and
`POST /v1/clock/settle` waits for it. Times are Unix seconds. Lists are paged: pass the returned `next` as `start`.
"""
_TRACK_PAIR: Final = {"type": "http", "scheme": "basic", "description": "Site id and API key of a workspace."}
_WRITE_KEY: Final = {"type": "http", "scheme": "basic", "description": "A Pipelines key as user, without a password."}


def install(app: FastAPI) -> None:
    """Serve `/openapi.json` and `/docs`."""
    app.mount(ASSETS, StaticFiles(directory=str(files("fastapi_offline") / "static")), name="docs-assets")

    async def page(_request: Request) -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
            swagger_ui_parameters={"docExpansion": "list", "defaultModelsExpandDepth": 0},
        )

    app.add_route("/docs", page, include_in_schema=False)

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
    document["components"].setdefault("securitySchemes", {})["TrackPair"] = _TRACK_PAIR
    document["components"]["securitySchemes"]["WriteKey"] = _WRITE_KEY
    for operations in document["paths"].values():
        for operation in operations.values():
            # What FastAPI would answer to a bad parameter by itself; ours is 400 in the envelope of the path.
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    return document


__all__ = ["install"]
