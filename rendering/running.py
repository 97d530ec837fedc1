"""One render while it runs: its variables, its instant, and its limits (MSG-07)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from time import thread_time
from typing import Any, Final

from liquid import BoundTemplate, RenderContext
from liquid.exceptions import ContextDepthError, LiquidError, LoopIterationLimitError, ResourceLimitError
from liquid.token import Token
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from rendering.errors import FAULTS, in_words
from rendering.missing import BLANK, Missing, Silent
from rendering.snippets import Snippets

MAX_OUTPUT: Final = 2_000_000
MAX_SECONDS: Final = 1.0
CHECK_EVERY: Final = 32
DEEPEST: Final = 3
"""How deep Liquid in data may lead to more of it."""
SNIPPETS: Final = "snippets"
_NO_TAGS: Final[list[str]] = []


class Output:
    """What is rendered, piece by piece, and how long it is."""

    __slots__ = ("_add", "_limit", "_pieces", "size")

    def __init__(self, limit: int = MAX_OUTPUT) -> None:
        self.size = 0
        self._limit = limit
        self._pieces: list[str] = []
        self._add = self._pieces.append

    def write(self, text: str) -> int:
        """Add a piece; raises ResourceLimitError where that is too much."""
        if text:
            self.size = size = self.size + len(text)
            if size > self._limit:
                raise ResourceLimitError(f"the output is longer than {MAX_OUTPUT} characters", token=None)
            self._add(text)
        return 0

    def getvalue(self) -> str:
        """The whole."""
        return "".join(self._pieces)


class Budget:
    """How many steps are left until somebody looks at the time; one for a render and for all that runs inside it."""

    __slots__ = ("_deadline", "left")

    def __init__(self) -> None:
        self.left = CHECK_EVERY
        self._deadline: float | None = None

    def look(self) -> None:
        """Fail where the time is up, which begins to run at the first look: most renders are over before."""
        self.left = CHECK_EVERY
        now = thread_time()
        if self._deadline is None:
            self._deadline = now + MAX_SECONDS
        elif now > self._deadline:
            raise ResourceLimitError(f"rendering takes longer than {MAX_SECONDS:g} s", token=None)


class Running(RenderContext):
    """One render: its variables, its instant and its budget of processor time; no variable reads a clock.

    Liquid in snippets and in data runs inside another render (`around`), with variables of its own and on its budget.
    """

    def __init__(
        self,
        template: BoundTemplate,
        *,
        now: datetime,
        globals: Mapping[str, Any],  # noqa: A002 - what python-liquid calls them
        around: Running | None = None,
    ) -> None:
        # All that python-liquid's own would set and something here reads; there are many renders, and most are short.
        self.env, self.template, self.autoescape = template.env, template, False
        self.locals, self.globals, self.counters = {}, globals, {}
        self.scope = ReadOnlyChainMap(self.locals, globals, self.counters)
        self._variables = self.scope._maps  # noqa: SLF001 - the way around a lookup that takes an exception per namespace
        self.tag_namespace = {"cycles": {}, "ifchanged": "", "stopindex": {}}
        self.loops, self.local_namespace_size_carry = [], 0
        self.now = now
        self.undefined = Silent if globals.get(BLANK) else Missing
        self._snippets: Mapping[str, Any] | None = None
        # A render does not hold itself, so that it is gone with the message and not at the next collection.
        self._around = None if around is None else around.outermost
        if around is None:
            self.budget, self.depth, self._made = Budget(), 0, 0
            self.loop_iteration_carry = 1
        else:
            self.budget, self.depth = around.budget, around.depth
            self.loop_iteration_carry = around.iterations()

    @property
    def outermost(self) -> Running:
        """The render of the message's own part."""
        return self if self._around is None else self._around

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
        self.budget.left -= steps
        if self.budget.left < 0:
            self.budget.look()

    def look(self) -> None:
        """Fail where the time is up."""
        self.budget.look()

    def root(self, name: str) -> Any:
        """The variable of that name; raises KeyError where there is none."""
        for variables in self._variables:
            if name in variables:
                found = variables[name]
                return self.outermost.reading(found) if found.__class__ is Snippets else found
        raise KeyError(name)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """The value at a path; what is not there is remembered under its whole name."""
        self.spend()
        try:
            found = self.root(path[0])  # type: ignore[arg-type]
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

    def enter(self, namespace: Mapping[str, object], forloop: Any) -> None:
        """Begin a loop: what `loop` does for a `with`, which takes longer than most loops."""
        self.spend(forloop.length)
        if self.iterations() * forloop.length > self.env.loop_iteration_limit:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        if self.scope.size() > self.env.context_depth_limit:
            raise ContextDepthError("maximum context depth reached", token=None)
        self.loops.append(forloop)
        self.scope.push(namespace)

    def leave(self) -> None:
        """End the innermost loop."""
        self.scope.pop()
        self.loops.pop()

    def iterations(self) -> int:
        """How often what stands here is rendered by the loops around it."""
        product = self.loop_iteration_carry
        for loop in self.loops:
            product *= loop.length
        return product

    def get_buffer(self, buf: Any = None) -> Any:
        """A buffer for a part of the output, which counts toward the whole."""
        return Output(MAX_OUTPUT - buf.size if isinstance(buf, Output) else MAX_OUTPUT)

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
            buffer = Output(MAX_OUTPUT - self._made)
            template.write(inner, buffer)
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


__all__ = ["MAX_OUTPUT", "MAX_SECONDS", "Output", "Running", "path_text"]
