"""What a message says, per channel, as authored: here email (MSG-17, MSG-20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StrictBool,
    StringConstraints,
    field_validator,
    model_serializer,
    model_validator,
)

from domain.contents.translated import Languages, Spoken, Translated, templates_in
from domain.documents import Document, Reference, Refusal, refused

WORKSPACE_LAYOUT: Final = ""
"""Stands for "the layout was left out": the workspace's default applies. No reference can be empty."""

RESERVED_HEADERS: Final = frozenset(
    [
        "message-id",
        "date",
        "from",
        "subject",
        "to",
        "reply-to",
        "cc",
        "mime-version",
        "content-id",
        "content-base",
        "content-alias",
        "content-identifier",
        "content-length",
        "content-type",
        "content-disposition",
        "content-transfer-encoding",
        "encoding",
        "lines",
        "received",
        "return-path",
        "authentication-results",
        "received-spf",
        "auto-submitted",
        "vbr-info",
        "mail-system-version",
        "mailer",
        "originating-client",
        "x-mailer",
        "x-report-abuse-to",
        "x-cio-email-id",
        "bcc",
        "resent-bcc",
    ]
)

_NO_TEMPLATES = frozenset({"sender", "layout", "editor", "editor_document", "liquid_version", "headers"})

HeaderName = Annotated[str, StringConstraints(pattern=r"^[!-9;-~]+$")]


class MessageHeader(Document):
    """One extra MIME header; the value is a template and may be blank."""

    name: HeaderName
    value: str

    @field_validator("name", mode="before")
    @classmethod
    def _one_word(cls, name: Any) -> Any:
        if isinstance(name, str) and any(character.isspace() for character in name):
            raise refused(Refusal("format", "Header name can't contain whitespace.", (), name))
        return name

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name.lower() in RESERVED_HEADERS:
            raise refused(Refusal("reserved_header", f"The header '{name}' cannot be set to a custom value.", (), name))
        return name


class EmailTexts(Document):
    """What an email says in one language."""

    subject: str
    body: str
    preheader: str | None = None
    title: str | None = None
    body_plain: str | None = None
    body_amp: str | None = None
    liquid_version: Literal["latest", "legacy"] = "latest"


class EmailMessage(Translated, EmailTexts):
    """The content of an email; every text is a Liquid template.

    `layout` is a reference, None for no layout, or `WORKSPACE_LAYOUT` where it was left out.
    `css_inlining` None takes the workspace's setting.
    """

    nullable: ClassVar[frozenset[str]] = frozenset({"layout", "editor_document"})
    spoken: ClassVar[Spoken] = EmailTexts

    sender: Reference | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str = "{{customer.email}}"
    reply_to: str | None = None
    bcc: str | None = None
    fake_bcc: StrictBool = True
    headers: tuple[MessageHeader, ...] = Field(default=(), max_length=10)
    layout: Reference | None = WORKSPACE_LAYOUT
    editor: Literal["code", "rich_text", "drag_and_drop", "design_studio"] = "code"
    editor_document: Any = None
    css_inlining: StrictBool | None = None
    open_tracking: StrictBool = True
    link_tracking: StrictBool = True
    url_parameters: Mapping[str, str] = Field(default_factory=dict)
    languages: Languages[EmailTexts] | None = None

    @model_validator(mode="after")
    def _one_sender(self) -> EmailMessage:
        if self.sender is not None and self.from_ is not None:
            raise refused(
                Refusal("not_applicable", "Give either a sender or a from address, not both.", ("from",), self.from_)
            )
        return self

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every template, with its path in the message."""
        yield from templates_in(self.model_dump(mode="json", exclude_defaults=True), _NO_TEMPLATES)
        for index, header in enumerate(self.headers):
            yield ("headers", index, "value"), header.value

    def references(self) -> Iterator[tuple[tuple[str | int, ...], str, str | int]]:
        """Its sender and its layout: path in the message, kind, key or id."""
        if self.sender is not None:
            yield ("sender",), "sender", self.sender
        layout = self.layout_reference
        if layout is not None:
            yield ("layout",), "layout", layout

    @property
    def uses_workspace_layout(self) -> bool:
        """Whether the layout was left out, so that the workspace's default wraps the body."""
        return self.layout == WORKSPACE_LAYOUT

    @property
    def layout_reference(self) -> str | int | None:
        """The layout this email names itself, if any."""
        return None if self.uses_workspace_layout else self.layout

    @model_serializer(mode="wrap")
    def _omit_absent(self, handler: SerializerFunctionWrapHandler, _info: SerializationInfo) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        absent = {"layout"} if self.uses_workspace_layout else set()
        if self.editor_document is None:
            absent.add("editor_document")
        return {
            name: value
            for name, value in dumped.items()
            if name not in absent and (value is not None or name == "layout")
        }


class SentEmail(EmailMessage):
    """The email of one send that was asked for by a call, which alone may have copies in the open (MSG-17, CHN-05).

    Its `to` may name several recipients, separated by commas; it is one email all the same.
    """

    cc: str | None = None
