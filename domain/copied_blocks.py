"""What of a block is another in the campaign it is copied into, and in another workspace (ACT-39)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from domain.blocks import BatchUpdate, Block, DeliveringBlock, MessageBlock, WaitUntil
from domain.conditions import Condition
from domain.definitions.library import Library
from domain.errors import Problem
from domain.problems import pointer_of, split_pointer
from domain.subjects.base import Named

LAYOUT_RESET: Final = "Email layout was reset to default"
HEADERS_RESET: Final = "Headers were reset to default"
_HEADERS: Final = ("sender", "from", "reply_to")
_IN_APP: Final = "in_app"

_CONTENTS: Final = (("message",), ("ab_test", "message"))

Raw = dict[str, Any]


@dataclass(frozen=True)
class Crossing:
    """The way into another workspace: what there is in both, and whether the destination sends at all."""

    source: Library
    destination: Library
    sandbox: bool

    def sends(self, channel: str) -> bool:
        """Whether messages of a channel can leave there; apps ask for theirs, and a sandbox takes all."""
        return self.sandbox or channel == _IN_APP or self.destination.has_way_out(channel)


@dataclass
class Carried:
    """Blocks on their way: where they come from, their keys in the campaign they come to, and what was found about them.

    `live`: there are people inside that campaign. `actions` are the numbers of the blocks where they come from.
    """

    campaign: str
    actions: Mapping[str, int]
    keys: Mapping[str, str]
    live: bool
    stays: bool
    """Whether the campaign they come to is the one they come from."""
    crossing: Crossing | None
    warnings: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def changed(self, key: str, block: Block, raw: Raw) -> Raw:
        """The block of that key as it stands in the other campaign, where it leads to apart; `raw` is changed."""
        at = ("workflow", "blocks", self.keys[key])
        raw.pop("renamed_from", None)
        if self.live and isinstance(block, DeliveringBlock):
            # Whatever it was: nothing leaves a running campaign unlooked at.
            raw["sending_state"] = "draft"
            raw.get("ab_test", {}).pop("sending_state", None)
        if self.crossing is not None:
            self._over(self.crossing, block, raw, at)
        self._conditions(block, raw, at)
        return raw

    def _over(self, crossing: Crossing, block: Block, raw: Raw, at: tuple[str, ...]) -> None:
        if isinstance(block, DeliveringBlock) and not crossing.sends(block.type):
            message = f"No enabled provider takes {block.type} in the workspace that it comes to."
            self._refuse("channel_disabled", (*at, "type"), message)
        if isinstance(raw.get("subscription"), dict):
            raw["subscription"] = "inherit"
            self._warn("unknown_reference", (*at, "subscription"), "The topic was reset to the campaign's setting")
        if isinstance(block, MessageBlock):
            for place in _CONTENTS:
                content = _part(raw, place)
                if isinstance(content, dict):
                    self._defaults(content, (*at, *place))
        for path, kind, ref in block.references():
            holder = _part(raw, path[:-1])
            if not isinstance(holder, dict) or path[-1] not in holder:
                continue
            known = crossing.source.find(kind, ref)
            if known is None:
                self._refuse("unknown_reference", (*at, *path), f"There is no {kind} {ref!r} to look for there.")
            else:
                holder[path[-1]] = known.key

    def _defaults(self, content: Raw, at: tuple[str, ...]) -> None:
        """Take what belongs to the workspace out of a message."""
        if "layout" in content:
            del content["layout"]
            self._warn("not_applicable", (*at, "layout"), LAYOUT_RESET)
        named = [name for name in _HEADERS if name in content]
        for name in named:
            del content[name]
        if named:
            self._warn("not_applicable", (*at, named[0]), HEADERS_RESET)

    def _conditions(self, block: Block, raw: Raw, at: tuple[str, ...]) -> None:
        for path, _, condition in block.placed_conditions():
            if self.crossing is not None and isinstance(block, WaitUntil):
                # Its paths of conditions do not come along.
                continue
            lost: list[str] = []
            kept = _pruned(condition.dump(), partial(self._leaf, (*at, *path), lost))
            holder = _part(raw, path[:-1])
            if lost and isinstance(block, BatchUpdate) and path == ("match",):
                message = f"It would be for others without {' and '.join(lost)}."
                self._refuse("unknown_reference", (*at, *path), message)
            elif kept is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = kept

    def _leaf(self, at: tuple[Any, ...], lost: list[str], root: str, body: Any) -> Any:
        """The body of a leaf as it holds in the other campaign, None where it holds nowhere there."""
        why = None
        if root == "cohort":
            known = body["block"] in self.keys
            why = None if known or self.stays else f"the cohort of the block '{body['block']}', which was not copied"
            body = {**body, "block": self.keys.get(body["block"], body["block"])}
        for named in Condition.parse({root: body}).leaves[0].body.references():
            body, why = self._own(named, body, at) if named.ref is None else self._there(named, body)
            if why is not None:
                break
        if why is None:
            return body
        lost.append(why)
        self._warn("unknown_reference", at, f"A condition was left out: {why}.")
        return None

    def _there(self, named: Named, body: Any) -> tuple[Any, str | None]:
        """The body with one of its references as it is meant in the other workspace, or why there is no such thing."""
        if self.crossing is None:
            return body, None
        assert named.ref is not None, "what is the workflow's own is looked for there"
        known, words = self.crossing.source.find(named.kind, named.ref), f"the {named.kind} {named.ref!r}"
        if named.kind == "segment":
            return body, f"{words} is of the other workspace"
        if known is None or not self.crossing.destination.exists(named.kind, known.key):
            return body, f"{words} is not there"
        changed = _with(body, split_pointer(named.at), known.key)
        if named.block is not None:
            block = named.block if isinstance(named.block, str) else _key_of(known.actions, named.block)
            if block not in (self.crossing.destination.blocks_of(known.key) or {}):
                return body, f"the block {named.block!r} of {words} is not there"
            changed = _with(changed, ["of", "block"], block)
        return changed, None

    def _own(self, named: Named, body: Any, at: tuple[Any, ...]) -> tuple[Any, str | None]:
        """A block of the workflow itself: the copy of it, or else the one that it was."""
        block = named.block if isinstance(named.block, str) else _key_of(self.actions, named.block)
        if block is not None and block in self.keys:
            return {**body, "of": {"block": self.keys[block]}}, None
        if self.stays:
            return body, None
        if self.crossing is not None:
            return body, f"messages of the block {named.block!r}, which was not copied"
        message = f"This goes on asking for messages of the block {named.block!r} of '{self.campaign}'."
        self._warn("unknown_block", at, message)
        return {**body, "of": {"campaign": self.campaign, "block": named.block}}, None

    def _warn(self, code: str, at: tuple[Any, ...], message: str) -> None:
        self.warnings.append(Problem(code=code, pointer=pointer_of(at), message=message))

    def _refuse(self, code: str, at: tuple[Any, ...], message: str) -> None:
        self.problems.append(Problem(code=code, pointer=pointer_of(at), message=message))


def left_out(block: Block) -> Iterator[int]:
    """The paths of a wait that do not come along into another workspace, by their place: those of conditions."""
    if isinstance(block, WaitUntil):
        yield from (index for index, path in enumerate(block.paths) if path.conditions is not None)


def _key_of(actions: Mapping[str, int], number: int | None) -> str | None:
    return next((key for key, known in actions.items() if known == number), None)


def _pruned(node: Any, leaf: Callable[[str, Any], Any]) -> Any:
    """A condition in its canonical form without the leaves for which there is nothing; None where nothing is left."""
    ((word, body),) = node.items()
    if word == "not":
        inner = _pruned(body, leaf)
        return None if inner is None else {"not": inner}
    if word not in ("and", "or"):
        changed = leaf(word, body)
        return None if changed is None else {word: changed}
    nodes = [kept for one in body if (kept := _pruned(one, leaf)) is not None]
    return {word: nodes} if len(nodes) > 1 else nodes[0] if nodes else None


def _part(raw: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a path, None where there is nothing."""
    for step in path:
        inside = isinstance(step, int) or (isinstance(raw, dict) and step in raw)
        if not inside:
            return None
        raw = raw[step]
    return raw


def _with(raw: Any, steps: list[str], value: Any) -> Any:
    """The same objects with another value at a path."""
    if not steps:
        return value
    return {**raw, steps[0]: _with(raw.get(steps[0]), steps[1:], value)}


__all__ = ["HEADERS_RESET", "LAYOUT_RESET", "Carried", "Crossing", "left_out"]
