"""What blocks have in common that write to a person: who may get it, its arms, whether it is only measured (ACT-02, ACT-17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import Field, StrictBool, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator
from pydantic_core import InitErrorDetails

from domain.blocks.base import DeliveringBlock, Planned, SendingState, Visit
from domain.content import EmailMessage
from domain.contents.base import Content
from domain.contents.translated import LANGUAGES
from domain.documents import Document, Refusal, refused
from domain.effects import Goto
from domain.values import stable_fraction

AnyContent = EmailMessage | Content
Subscription = Literal["inherit", "subscribed", "everyone"]
Variant = Literal["a", "b"]

_Said = TypeVar("_Said", bound=AnyContent)


def _read_subscription(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, dict) and set(value) == {"topic"}:
        raise refused(
            Refusal("unknown_reference", f"There is no topic {value['topic']!r}.", ("topic",), value["topic"])
        )
    return handler(value)


class AbTest(Document, Generic[_Said]):
    """The variation of a message and its share of those who arrive; without a sending behaviour of its own it has the block's."""

    percent: Annotated[int, Field(ge=0, le=100, strict=True)] = 0
    message: _Said | None = None
    sending_state: SendingState | None = None
    holdout: StrictBool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        _require(self.message, holdout=self.holdout)
        return self


class Arm(NamedTuple):
    """What somebody gets who has come to a message: the message itself, or an arm of its test. A holdout gets nothing."""

    variant: Variant | None
    content: AnyContent | None
    sending_state: SendingState
    holdout: bool


class MessageBlock(DeliveringBlock):
    """A message to the journey's person; `subscription` says who may get it, `inherit` being the campaign's rule (SUB-03).

    A `holdout` is never sent, only counted, so that what happens without the message can be measured (ACT-19).
    """

    subscription: Annotated[Subscription, WrapValidator(_read_subscription)] = "inherit"
    message_limit: Literal["inherit"] = "inherit"
    holdout: StrictBool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        _require(self._content, holdout=self.holdout)
        return self

    @model_validator(mode="after")
    def _no_test_in_several_languages(self) -> Self:
        """What is told apart by language is not told apart by chance as well (MSG-31)."""
        if self._test is not None:
            message = "A message in several languages cannot be tested: leave the test or the languages out."
            found = [
                Refusal("ab_with_languages", message, (*at, LANGUAGES))
                for at, content in self._contents()
                if getattr(content, LANGUAGES, None)
            ]
            if found:
                raise refused(*found)
        return self

    @property
    def _content(self) -> AnyContent | None:
        content: AnyContent | None = getattr(self, "message", None)
        return content

    @property
    def _test(self) -> AbTest[Any] | None:
        test: AbTest[Any] | None = getattr(self, "ab_test", None)
        return test

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What somebody may get here: one thing, or the original and the variation."""
        test = self._test
        if test is None:
            return (Arm(None, self._content, self.sending_state, self.holdout),)
        return (
            Arm("a", self._content, self.sending_state, self.holdout),
            Arm("b", test.message, test.sending_state or self.sending_state, test.holdout),
        )

    def arm_of(self, journey_id: str, key: str) -> Arm:
        """What this journey gets at the block of that key: drawn by chance, and the same however often it is asked."""
        test, arms = self._test, self.arms
        if test is None:
            return arms[0]
        return arms[stable_fraction(journey_id, key, "ab_test") * 100 < test.percent]

    def arm_called(self, variant: str | None) -> Arm:
        """The arm of a delivery that was made before; the message itself where its test is over or has begun since."""
        return next((arm for arm in self.arms if arm.variant == variant), self.arms[0])

    @property
    def leaving(self) -> frozenset[SendingState]:
        """How what really leaves is sent: a holdout never does."""
        return frozenset(arm.sending_state for arm in self.arms if not arm.holdout)

    def perform(self, visit: Visit, /) -> Planned:
        """Skip where the arm is off, else deliver it."""
        journey = visit.facts.journey
        arm = self.arm_of(journey.journey_id if journey is not None else "", visit.key)
        if arm.sending_state == "off":
            whose = "" if arm.variant is None else f" of variation {arm.variant.upper()}"
            explanation = f"The sending behaviour{whose} is off."
            return Planned(effect=Goto(next=self.next, outcome="skipped", path=arm.variant, explanation=explanation))
        return Planned(effect=self.action())

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """The parts of the message, and of its variation."""
        for at, content in self._contents():
            for path, text in content.texts():
                yield (*at, *path), text

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """What the message and its variation name."""
        for at, content in self._contents():
            for path, kind, ref in content.references():
                yield (*at, *path), kind, ref

    def _contents(self) -> Iterator[tuple[tuple[str, ...], AnyContent]]:
        test = self._test
        if self._content is not None:
            yield ("message",), self._content
        if test is not None and test.message is not None:
            yield ("ab_test", "message"), test.message


def _require(content: AnyContent | None, *, holdout: bool) -> None:
    """Only what is never sent need not say anything."""
    if content is None and not holdout:
        missing = InitErrorDetails(type="missing", loc=("message",), input=None)
        raise ValidationError.from_exception_data("message", [missing])


__all__ = ["AbTest", "AnyContent", "Arm", "MessageBlock", "Subscription", "Variant"]
