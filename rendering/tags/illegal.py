"""Tags that are none, or stand where they may not, told in words (MSG-35)."""

from __future__ import annotations

from liquid import Environment
from liquid.ast import IllegalNode
from liquid.builtin.illegal import Illegal
from liquid.exceptions import LiquidSyntaxError
from liquid.stream import TokenStream
from liquid.token import TOKEN_TAG

_BRANCHES = ("else", "elsif", "when")


class _Illegal(Illegal):
    """Whatever is not registered."""

    def parse(self, stream: TokenStream) -> IllegalNode:
        """Say what is wrong with it where it stands."""
        token = stream.expect(TOKEN_TAG)
        around = self._around(stream)
        message = f"Unknown tag '{token.value}'"
        if around is not None and token.value in _BRANCHES:
            message = f"{around} tag does not expect {token.value} tag"
        elif around is not None and token.value.startswith("end"):
            message = f"'{token.value}' is not a valid delimiter for {around} tags. use end{around}"
        raise LiquidSyntaxError(message, token=token)

    def _around(self, stream: TokenStream) -> str | None:
        """The innermost tag before this one that is not closed yet."""
        closed = 0
        for token in reversed(stream.tokens[: stream.pos]):
            if token.kind != TOKEN_TAG:
                continue
            known = self.env.tags.get(token.value)
            if token.value.startswith("end") and token.value[3:] in self.env.tags:
                closed += 1
            elif known is not None and known.block:
                if not closed:
                    return token.value
                closed -= 1
        return None


def register(env: Environment) -> None:
    """Add it."""
    env.add_tag(_Illegal)


__all__ = ["register"]
