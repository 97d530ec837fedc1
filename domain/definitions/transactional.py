"""Transactional message: a template that calls name, and the settings that hold for what is sent of it (CHN-01, CHN-04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import StrictBool, StringConstraints, ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from domain.blocks import BLOCKS, MessageBlock
from domain.content import EmailMessage
from domain.contents.base import Content
from domain.contents.in_app import InAppMessage
from domain.contents.inbox import InboxMessage
from domain.contents.push import PushMessage
from domain.contents.sms import SmsMessage
from domain.contents.whatsapp import WhatsappMessage
from domain.definitions.base import Definition, Name, Surroundings, Template, Use
from domain.definitions.triggers.asked import TRANSACTIONAL, AskedTrigger
from domain.documents import Refusal, refused
from domain.errors import Problem
from domain.goals import Goal
from domain.journeys import ExitRule, Frequency, FrequencyEvery
from domain.problems import pointer_of
from domain.workflow_graph import Workflow

TransactionalChannel = Literal["email", "sms", "push", "whatsapp", "inbox", "in_app"]
UNCATEGORIZED: Final = 1
"""The id under which sends without a template are counted; templates begin behind it (CHN-01)."""
MESSAGE: Final = "message"
"""The key of the one block that a transactional send consists of."""

CONTENTS: Final[Mapping[str, type[EmailMessage | Content]]] = {
    "email": EmailMessage,
    "sms": SmsMessage,
    "push": PushMessage,
    "whatsapp": WhatsappMessage,
    "inbox": InboxMessage,
    "in_app": InAppMessage,
}
"""The shape of the message by channel."""

TriggerName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=190)]


class TransactionalDefinition(Definition):
    """A transactional message; without a `message` every call brings its own.

    `trigger_name` is what calls may name it by, whatever its case; left out, that is the key. `on_liquid_error` says what
    becomes of a message whose template reads something that is not there: it fails, or prints nothing for it.
    """

    unchanging: ClassVar[tuple[str, ...]] = ("channel",)

    kind: Literal["transactional"]
    name: Name
    channel: TransactionalChannel
    trigger_name: TriggerName | None = None
    send_to_unsubscribed: StrictBool = True
    hide_message_body: StrictBool = False
    queue_drafts: StrictBool = False
    on_liquid_error: Literal["fail", "blank"] = "fail"
    message: Any = None

    @field_validator("message", mode="wrap")
    @classmethod
    def _of_the_channel(cls, value: Any, _handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Read the message as one of its channel, so that every error points into it as it was written."""
        shape = CONTENTS.get(info.data.get("channel", ""))
        return value if shape is None or isinstance(value, shape) else shape.model_validate(value)

    @field_validator("trigger_name")
    @classmethod
    def _no_number(cls, name: str) -> str:
        if name.isdecimal():
            raise refused(Refusal("format", "A trigger name of digits only would be taken for an id.", (), name))
        return name

    @property
    def called(self) -> str:
        """The name that calls may use, in the form in which names are compared."""
        return (self.trigger_name or self.key).casefold()

    @property
    def content(self) -> EmailMessage | Content | None:
        """What it says, None where calls bring that."""
        return self.message if isinstance(self.message, EmailMessage | Content) else None

    def uses(self) -> Iterator[Use]:
        """The sender and the layout of the message."""
        if self.content is not None:
            for path, kind, ref in self.content.references():
                yield Use(kind, ref, pointer_of((MESSAGE, *path)))

    def templates(self) -> Iterator[Template]:
        """The texts of the message."""
        if self.content is not None:
            for path, text in self.content.texts():
                yield Template(pointer_of((MESSAGE, *path)), text)

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """A trigger name that another transactional message answers to."""
        for other in around.others(self.kind, self.key):
            if isinstance(other, TransactionalDefinition) and other.called == self.called:
                at = "/key" if self.trigger_name is None else "/trigger_name"
                message = f"The transactional message '{other.key}' is called that already."
                yield Problem(code="duplicate", pointer=at, message=message)


class SingleMessage:
    """A transactional send as an automation of one block: what delivers workflows delivers it as well."""

    trigger: ClassVar[AskedTrigger] = TRANSACTIONAL
    filters: ClassVar[None] = None
    often: ClassVar[Frequency] = FrequencyEvery(mode="every")
    exit: ClassVar[ExitRule] = "never"
    kind: ClassVar[str] = "transactional"
    goal: ClassVar[Goal | None] = None

    def __init__(
        self,
        key: str,
        name: str,
        channel: str,
        content: EmailMessage | Content,
        *,
        subscription: Literal["subscribed", "everyone"],
        drafted: bool,
        hidden: bool = False,
        lenient: bool = False,
    ) -> None:
        """`hidden`: nothing that it says is kept (CHN-11); `lenient`: what is missing prints nothing (CHN-12)."""
        fields: dict[str, Any] = {"message": content, "sending_state": "draft" if drafted else "automatic"}
        block: Any = BLOCKS[channel].model_construct(type=channel, name=name, **fields)
        assert isinstance(block, MessageBlock), "the channels of transactional messages are those of messages"
        self.key = key
        self.name = name
        self.subscription = subscription
        self.hidden = hidden
        self.lenient = lenient
        self.workflow = Workflow.model_construct(start=MESSAGE, blocks={MESSAGE: block})  # type: ignore[dict-item]


__all__ = [
    "CONTENTS",
    "MESSAGE",
    "UNCATEGORIZED",
    "SingleMessage",
    "TransactionalChannel",
    "TransactionalDefinition",
]
