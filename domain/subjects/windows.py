"""How a count of things that happened within a moving window changes by the clock alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from domain.operators import Decision


@dataclass(slots=True)
class WindowCount:
    """What lies in the window at `now`, and when things enter and leave it; all in Unix seconds.

    A thing counts from `start` (the second of its timestamp) until just before `end` (its timestamp plus the window, rounded
    up), so that verdicts change at whole seconds only, whatever microseconds timestamps have.
    """

    now: int
    count: int = 0
    changes: list[tuple[int, int]] = field(default_factory=list)

    def add(self, start: int, end: int | None) -> None:
        """Count one thing; `end` is None where the window does not move."""
        if end is not None and end <= self.now:
            return
        if start <= self.now:
            self.count += 1
        else:
            self.changes.append((start, 1))
        if end is not None:
            self.changes.append((end, -1))

    def decide(self, test: Callable[[int, int], bool], turns: Iterable[int] = ()) -> Decision:
        """The test of (count, second) now, and the first second at which it answers otherwise.

        `turns` are further seconds at which the test may change although the count does not.
        """
        current = test(self.count, self.now)
        steps = sorted([*self.changes, *((at, 0) for at in turns if at > self.now)])
        count = self.count
        for index, (at, change) in enumerate(steps):
            count += change
            following = steps[index + 1][0] if index + 1 < len(steps) else None
            if following != at and test(count, at) != current:
                return current, at
        return current, None
