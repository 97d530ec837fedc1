"""What sends messages by a workflow: a campaign, a broadcast, or the single message of a transactional send (CMP-01, CHN-15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictBool, ValidatorFunctionWrapHandler, WrapValidator, field_validator

from domain.definitions import campaign_parts
from domain.definitions.base import Definition, Name, Template, Use
from domain.documents import Document, Refusal, refused
from domain.goals import Goal
from domain.workflow_graph import Workflow


def _read_subscription(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, dict) and set(value) == {"topic"}:
        message = f"There is no topic {value['topic']!r}."
        raise refused(Refusal("unknown_reference", message, ("topic",), value["topic"]))
    if not isinstance(value, str):
        raise refused(Refusal("type", "Write subscribed or everyone.", (), value))
    return handler(value)


class MessageLimit(Document):
    """Whether messages count toward a limit of the workspace, of which this version has none."""

    nullable: ClassVar[frozenset[str]] = frozenset({"retry"})

    observe: StrictBool = False
    retry: Any = None

    @field_validator("observe")
    @classmethod
    def _nothing_to_observe(cls, observe: bool) -> bool:
        if observe:
            raise refused(Refusal("not_applicable", "Message limits are not in this version.", (), observe))
        return observe

    @field_validator("retry")
    @classmethod
    def _nothing_to_retry(cls, retry: Any) -> Any:
        if retry is not None:
            raise refused(Refusal("not_applicable", "Message limits are not in this version.", (), retry))
        return retry


class AutomationDefinition(Definition):
    """What campaigns and broadcasts have in common: a workflow, who may get its messages, what it hopes for."""

    initial_state: ClassVar[str | None] = "draft"

    name: Name
    goal: Goal | None = None
    subscription: Annotated[Literal["subscribed", "everyone"], WrapValidator(_read_subscription)] = "subscribed"
    message_limit: MessageLimit = Field(default_factory=MessageLimit)
    workflow: Workflow

    def uses(self) -> Iterator[Use]:
        """Segments, senders, layouts, object types and collections."""
        yield from campaign_parts.uses(self)  # type: ignore[arg-type]

    def templates(self) -> Iterator[Template]:
        """What its messages and Liquid values say."""
        yield from campaign_parts.templates(self)  # type: ignore[arg-type]

    def addresses(self) -> Iterator[tuple[str, str]]:
        """The addresses that its blocks call."""
        yield from campaign_parts.addresses(self)  # type: ignore[arg-type]


__all__ = ["AutomationDefinition", "MessageLimit"]
