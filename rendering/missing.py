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

    def used(self) -> Any:
        """What it counts as where it is used as a value; this raises, for there is none."""
        raise self.fail()

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


class Silent(Missing):
    """One in a message that rather says nothing than fails: it prints as nothing, and so does what is made of it (CHN-12)."""

    __slots__ = ()

    def used(self) -> Any:
        """Null."""
        return None

    def __str__(self) -> str:
        return ""

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __reversed__(self) -> Iterator[Any]:
        return iter(())

    def __int__(self) -> int:
        return 0

    def items(self) -> Any:
        """Nothing to walk through."""
        return ()


KINDS: Final = frozenset({Missing, Silent})
"""The classes of all that is missing: asking a value for its class is quicker than asking what it is an instance of."""


def present(value: Any) -> Any:
    """The value that a tag or a filter is given: null for one that may be missing, a failure for one that may not."""
    return value.used() if value.__class__ in KINDS else value


__all__ = ["BLANK", "KINDS", "Missing", "Silent", "present"]
