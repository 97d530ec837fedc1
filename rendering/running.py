"""One render while it runs: its variables, its instant, and its limits (MSG-07)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from io import StringIO
from time import thread_time
from typing import Any, Final, TextIO

from liquid import BoundTemplate, RenderContext
from liquid.exceptions import LiquidError, ResourceLimitError
from liquid.output import LimitedStringIO
from liquid.token import Token
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from rendering.errors import FAULTS, in_words
from rendering.missing import BLANK, Missing, Silent
from rendering.snippets import Snippets

MAX_OUTPUT: Final = 2_000_000
MAX_SECONDS: Final = 1.0
CHECK_EVERY: Final = 64
DEEPEST: Final = 3
"""How deep Liquid in data may lead to more of it."""
SNIPPETS: Final = "snippets"
_NO_TAGS: Final[list[str]] = []


class _Output(LimitedStringIO):
    """A buffer that counts characters, and keeps line ends as they are."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, newline="")

    def write(self, text: str, /) -> int:
        self.size += len(text)
        if self.size > self.limit:
            raise ResourceLimitError(f"the output is longer than {MAX_OUTPUT} characters", token=None)
        return StringIO.write(self, text)


class Running(RenderContext):
    """One render: its variables, its instant and its budget of processor time; no variable reads a clock.

    Liquid in snippets and in data runs inside another render (`around`), with variables of its own and on its budget.
    """

    def __init__(
        self, template: BoundTemplate, *, now: datetime, around: Running | None = None, **options: Any
    ) -> None:
        self._left = CHECK_EVERY
        super().__init__(template, **options)
        self.now = now
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.undefined = Silent if self.globals.get(BLANK) else Missing
        self._snippets: Mapping[str, Any] | None = None
        if around is None:
            self._outermost, self.depth, self._made = self, 0, 0
            self._deadline = thread_time() + MAX_SECONDS
        else:
            self._outermost, self.depth = around.outermost, around.depth
            self.spend = around.outermost.spend  # type: ignore[method-assign]
            self.look = around.outermost.look  # type: ignore[method-assign]
            self.loop_iteration_carry = around.iterations()

    @property
    def outermost(self) -> Running:
        """The render of the message's own part."""
        return self._outermost

    @property
    def disabled_tags(self) -> list[str]:
        """None; python-liquid asks before every node, so this counts a step as well."""
        self.spend()
        return _NO_TAGS

    @disabled_tags.setter
    def disabled_tags(self, _tags: Any) -> None:
        pass

    def spend(self, steps: int = 1) -> None:
        """Count steps; now and then look whether the time is up."""
        self._left -= steps
        if self._left < 0:
            self._left = CHECK_EVERY
            self.look()

    def look(self) -> None:
        """Fail where the time is up."""
        if thread_time() > self._deadline:
            raise ResourceLimitError(f"rendering takes longer than {MAX_SECONDS:g} s", token=None)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """The value at a path; what is not there is remembered under its whole name."""
        self.spend()
        try:
            found = self.scope[path[0]]  # type: ignore[index]
            if found.__class__ is Snippets:
                found = self._outermost.reading(found)
            for segment in path[1:]:
                found = self.get_item(found, segment)
        except (LookupError, TypeError):
            if default is not UNDEFINED:
                return default
            return self.undefined(path_text(path), token=token)
        return found

    def assign(self, key: str, val: Any) -> None:
        """Set a variable of the template."""
        self.spend()
        super().assign(key, val)

    def filter(self, name: str, token: Token | None) -> Any:
        """The filter of that name."""
        self.spend()
        return super().filter(name, token)

    def loop(self, namespace: Mapping[str, object], forloop: Any) -> Any:
        """The scope of a loop, whose rounds count as steps although they may do nothing."""
        self.spend(forloop.length)
        return super().loop(namespace, forloop)

    def iterations(self) -> int:
        """How often what stands here is rendered by the loops around it."""
        product = self.loop_iteration_carry
        for loop in self.loops:
            product *= loop.length
        return product

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """A buffer for a part of the output, which counts toward the whole."""
        used = buf.size if isinstance(buf, _Output) else 0
        return _Output(MAX_OUTPUT - used)

    def inner(self, template: BoundTemplate, variables: Mapping[str, Any]) -> Running:
        """A render inside this one, which sees these variables and none of the template's own."""
        return type(self)(template, now=self.now, around=self, globals=variables)

    @contextmanager
    def deeper(self, token: Token) -> Iterator[None]:
        """One level of Liquid in data."""
        if self.depth >= DEEPEST:
            raise LiquidError(f"render_liquid is nested more than {DEEPEST} levels deep", token=token)
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def reading(self, snippets: Snippets) -> Mapping[str, Any]:
        """The snippets as this render reads them; each is rendered once, when it is asked for."""
        if self._snippets is None:
            self._snippets = snippets.read_by(self._snippet_text)
        return self._snippets

    def _snippet_text(self, name: str, source: str) -> str:
        """The text of a snippet for the recipient: it sees the roots, but no variable of the message and no other snippet."""
        try:
            template = self.env.template(source)  # type: ignore[attr-defined]
            self.look()
            inner = self.inner(template, {key: value for key, value in self.globals.items() if key != SNIPPETS})
            buffer = _Output(MAX_OUTPUT - self._made)
            template.render_with_context(inner, buffer)
        except (LiquidError, *FAULTS) as fault:
            limit = ResourceLimitError if isinstance(fault, ResourceLimitError) else LiquidError
            raise limit(f"{in_words(fault)} (in the snippet {name})", token=None) from None
        self._made += buffer.size
        return buffer.getvalue()


def path_text(path: list[object]) -> str:
    """A path as one would write it."""
    text = str(path[0])
    for segment in path[1:]:
        text += f"[{segment}]" if isinstance(segment, int) else f".{segment}"
    return text


__all__ = ["MAX_OUTPUT", "MAX_SECONDS", "Running", "path_text"]
