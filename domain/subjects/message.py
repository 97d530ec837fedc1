"""`message`: what became of messages to the person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, Self, get_args

from pydantic import Field, StrictBool, StrictStr, model_validator

from domain.condition_keys import Keys, messages_that
from domain.documents import Document, Reference, Refusal, refused
from domain.durations import Duration
from domain.facts import Facts, Happening, MessageFact, Ref, is_later
from domain.operators import Decision
from domain.patterns import NamePattern, compile_search, fold_name
from domain.subjects.base import Moment, Named, Subject
from domain.subjects.counting import Between, Counting
from domain.subjects.times import Times
from domain.subjects.windows import WindowCount
from domain.values import to_unix, to_unix_ceiling

Channel = Literal["email", "sms", "push", "in_app", "inbox", "whatsapp", "line", "slack", "webhook"]
Status = Literal[
    "recipient",
    "attempted",
    "sent",
    "delivered",
    "opened",
    "clicked",
    "converted",
    "replied",
    "bounced",
    "suppressed",
    "failed",
    "undeliverable",
    "unsubscribed",
    "topic_unsubscribed",
    "spammed",
]
STATUSES: tuple[Status, ...] = get_args(Status)
_DONE_BY_PEOPLE = ("opened", "clicked")
_WORKFLOWS = ("campaign", "broadcast")
_SINGLE = ("newsletter", "transactional")


class _Origin(NamedTuple):
    """Where a message must come from, as numbers: from a workflow, perhaps from one of its blocks, or from a template."""

    campaign_id: int | None = None
    action_id: int | None = None
    transactional_id: int | None = None

    def is_of(self, message: MessageFact) -> bool:
        """Whether the message comes from there."""
        if self.transactional_id is not None:
            return message.transactional_id == self.transactional_id
        if message.campaign_id != self.campaign_id:
            return False
        return self.action_id is None or message.action_id == self.action_id


class MessageSource(Document):
    """Which messages are meant: those of one campaign or broadcast, of one of its blocks, or of a single sending.

    A block by itself is one of the workflow in which the condition stands.
    """

    campaign: Reference | None = None
    broadcast: Reference | None = None
    newsletter: Reference | None = None
    transactional: Reference | None = None
    block: Reference | None = None

    @model_validator(mode="after")
    def _means_one(self) -> Self:
        if len(self._named) > 1:
            raise refused(Refusal("type", f"Name only one of {', '.join(self._named)}.", ()))
        if not self._named and self.block is None:
            raise refused(Refusal("length", "Say which messages: of a campaign, of a block.", ()))
        if self.block is not None and any(word in _SINGLE for word in self._named):
            message = f"A {self._named[0]} has no blocks."
            raise refused(Refusal("not_applicable", message, ("block",), self.block))
        return self

    @cached_property
    def _named(self) -> list[str]:
        return [word for word in (*_WORKFLOWS, *_SINGLE) if getattr(self, word) is not None]

    @property
    def sender(self) -> tuple[str, Ref] | None:
        """The kind and reference of what sends; None for a block of the same workflow."""
        return (self._named[0], getattr(self, self._named[0])) if self._named else None

    def origin(self, facts: Facts) -> _Origin | None:
        """The numbers of what is meant; None where it names nothing that sends."""
        if self.transactional is not None:
            number = facts.directory.id_of("transactional", self.transactional)
            return None if number is None else _Origin(transactional_id=number)
        campaign_id = self._campaign_id(facts)
        if campaign_id is None or self.block is None:
            return None if campaign_id is None else _Origin(campaign_id)
        action = self.block
        number = action if isinstance(action, int) else facts.directory.actions.get(campaign_id, {}).get(action)
        return None if number is None else _Origin(campaign_id, number)

    def _campaign_id(self, facts: Facts) -> int | None:
        """Campaigns and broadcasts share one series of numbers; newsletters have none of it."""
        if self.sender is None:
            return None if facts.journey is None else facts.journey.campaign_id
        kind, ref = self.sender
        return facts.directory.id_of(kind, ref) if kind in _WORKFLOWS else None

    def describe(self) -> str:
        """Which messages, in words."""
        words = "" if self.sender is None else f" of {self.sender[0]} {self.sender[1]}"
        return words if self.block is None else f"{words} of block {self.block}"


class MessageBody(Document):
    """The wire body of the leaf."""

    channel: Channel | None = None
    of: MessageSource | None = None
    status: Status
    mode: Literal["has_ever", "is"] = "has_ever"
    human_only: StrictBool = False
    link: StrictStr | None = Field(default=None, min_length=1)
    response: StrictStr | None = Field(default=None, min_length=1)
    times: Times | None = None
    within: Duration | None = None
    between: Between | None = None
    inverse: StrictBool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        wrong: list[Refusal] = []
        if self.channel is None and self.of is None:
            wrong.append(Refusal("required", "Name the channel, or say of what in `of`.", ("channel",)))
        if self.within is not None and self.between is not None:
            wrong.append(Refusal("type", "Give either within or between.", ()))
        if self.human_only and self.status not in _DONE_BY_PEOPLE:
            message = "Only opens and clicks are told apart by who did them."
            wrong.append(Refusal("not_applicable", message, ("human_only",), self.human_only))
        for word in ("link", "response"):
            if getattr(self, word) is not None and self.status != "clicked":
                message = "Only what was clicked has that; ask for the status clicked."
                wrong.append(Refusal("not_applicable", message, (word,), getattr(self, word)))
        if self.link is not None and compile_search(self.link).is_empty:
            wrong.append(Refusal("length", "The pattern is empty.", ("link",), self.link))
        if self.response is not None and not self.response.strip():
            wrong.append(Refusal("length", "The name is empty.", ("response",), self.response))
        if wrong:
            raise refused(*wrong)
        return self


@dataclass(frozen=True)
class Message(Subject):
    """That became of messages to the person as often as `times` says, each time counted (PPL-37).

    `inverse`, and `times` that zero satisfies, are guarded by the person's age as those of `performed` are (PPL-36).
    """

    root: ClassVar[str] = "message"

    body: MessageBody

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The leaf of a body."""
        return cls(MessageBody.model_validate(body))

    def dump(self) -> Any:
        """The body without what is absent or default."""
        return self.body.model_dump(mode="json", exclude_defaults=True)

    @cached_property
    def counting(self) -> Counting:
        """The test of how often; at least once where nothing is said."""
        return Counting.of(self.body.times, self.body.within, inverse=self.body.inverse)

    @cached_property
    def _link(self) -> NamePattern | None:
        return None if self.body.link is None else compile_search(self.body.link)

    @cached_property
    def _response(self) -> str | None:
        return None if self.body.response is None else fold_name(self.body.response)

    def decide(self, facts: Facts, moment: Moment) -> Decision:
        """Counts what happened, and finds when the clock will change the answer."""
        return self.counting.decide(self._count(facts, moment), facts)

    def _count(self, facts: Facts, moment: Moment) -> WindowCount:
        window, span = WindowCount(moment.unix), self.counting.span
        for happening in self._happenings(facts):
            at = happening.position.at
            if span is None:
                window.add(moment.unix, None)
            else:
                window.add(to_unix(at), to_unix_ceiling(at) + span)
        return window

    def _happenings(self, facts: Facts) -> Iterator[Happening]:
        """What happened to the messages meant, as asked, between and after entering the wait where these count."""
        status, between = self.body.status, self.body.between
        after = None
        if self.body.mode == "is":
            after = facts.journey.wait_started if facts.journey is not None else None
            if after is None:
                return
        for message in self._messages(facts):
            for happening in message.happenings:
                if happening.metric != status or not self._as_asked(happening):
                    continue
                if between is not None and not between[0] <= to_unix(happening.position.at) <= between[1]:
                    continue
                if after is None or is_later(happening.position, after):
                    yield happening

    def _messages(self, facts: Facts) -> Iterator[MessageFact]:
        channel, of = self.body.channel, self.body.of
        origin = None if of is None else of.origin(facts)
        if of is not None and origin is None:
            return
        for message in facts.messages:
            if channel is not None and message.channel != channel:
                continue
            if origin is None or origin.is_of(message):
                yield message

    def _as_asked(self, happening: Happening) -> bool:
        if self.body.human_only and not happening.human:
            return False
        if self._link is not None and (happening.link is None or not self._link.matches(happening.link)):
            return False
        response = self._response
        return response is None or (happening.response is not None and fold_name(happening.response) == response)

    def look(self, facts: Facts, moment: Moment) -> tuple[Any, str]:
        """How often it happened, as it counts now."""
        count = self._count(facts, moment).count
        return count, f"{self.body.status} {count} times{self.counting.age_note(facts, moment)}"

    def keys(self) -> Keys:
        """Messages of which this becomes, the clock and the age."""
        counting = self.counting
        words = frozenset({messages_that(self.body.status)})
        return Keys(clock=counting.span is not None, age=counting.needs_age, records=words)

    def references(self) -> Iterator[Named]:
        """The campaign, or what else sends, with the block of it."""
        of = self.body.of
        if of is None:
            return
        if of.sender is None:
            yield Named("campaign", None, "/of/block", of.block)
        else:
            kind, ref = of.sender
            yield Named(kind, ref, f"/of/{kind}", of.block)

    def describe(self) -> str:
        """The leaf in words."""
        body = self.body
        verb = {
            ("is", False): "is",
            ("is", True): "is not",
            ("has_ever", False): "has ever",
            ("has_ever", True): "has never",
        }
        words = "a message" if body.channel is None else f"a message by {body.channel}"
        words += body.of.describe() if body.of is not None else ""
        words += f" {verb[body.mode, body.inverse]} {body.status}"
        if body.human_only:
            words += " by a person"
        if body.link is not None:
            words += f" on {body.link}"
        if body.response is not None:
            words += f" on the button {body.response}"
        if body.times is not None:
            words += f" {body.times.describe()}"
        if body.within is not None:
            words += f" within {body.within.raw}"
        if body.between is not None:
            words += f" between {body.between[0]} and {body.between[1]}"
        return words


__all__ = ["STATUSES", "Channel", "Message", "MessageBody", "MessageSource", "Status"]
