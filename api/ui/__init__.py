"""The operator's desk: server-rendered, read-only pages without scripts, behind a service-account token."""

from api.ui.views import router

__all__ = ["router"]
