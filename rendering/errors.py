"""What a template does when it cannot be rendered."""

from __future__ import annotations


class RenderError(Exception):
    """A template failed on the data it was given; `field` is the part of the message it stands in, where known."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def inside(self, field: str) -> RenderError:
        """The same failure, told with the part of the message it happened in."""
        return self if self.field is not None else RenderError(self.message, field)

    def __str__(self) -> str:
        return self.message if self.field is None else f"{self.message} (in {self.field})"


__all__ = ["RenderError"]
