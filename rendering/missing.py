"""Data that is not there: false in a condition, replaced by `default`, fatal where it would be printed (MSG-05)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from liquid.exceptions import UndefinedError
from liquid.undefined import Undefined

BLANK: Final = "blank where missing"
"""The name under which a context says that what is not there prints nothing instead of failing (CHN-12)."""


class Missing(Undefined):
    """A variable that has no value; using it for anything but a test or a `default` fails the render."""

    __slots__ = ()

    def fail(self) -> UndefinedError:
        """The failure, in the words of the composer (MSG-35)."""
        return UndefinedError(f"Variable '{self.name}' is missing", token=self.token)

    def __str__(self) -> str:
        raise self.fail()

    def __len__(self) -> int:
        raise self.fail()

    def __iter__(self) -> Iterator[Any]:
        raise self.fail()

    def __reversed__(self) -> Iterator[Any]:
        raise self.fail()

    def __int__(self) -> int:
        raise self.fail()

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Undefined)

    def __hash__(self) -> int:
        return hash(self.name)

    def items(self) -> Any:
        """What a `for` asks for first."""
        raise self.fail()


__all__ = ["BLANK", "Missing"]
