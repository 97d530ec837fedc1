"""Provider: how a channel leaves the platform (MSG-26, MSG-27). In a sandbox every one of them is replaced by `capture`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from pydantic import (
    Field,
    StrictBool,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from domain.definitions.base import Definition, NonEmptyText, Surroundings
from domain.documents import Document, Refusal, refused
from domain.errors import Problem
from domain.sending_domains import DomainName, nearest

UseFor = Literal["all", "segment_triggered", "event_triggered", "newsletters", "broadcasts", "transactional"]
BLOCKED_PORT = 25
MOST_EMAIL: Final = 6
"""How many email providers a workspace may have (MSG-27)."""


class SecretName(Document):
    """A secret that the deployment knows under a name."""

    secret: NonEmptyText


def _read_secret(value: Any, _handler: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, dict):
        return SecretName.model_validate(value)
    if isinstance(value, SecretName):
        return value
    if not isinstance(value, str):
        raise refused(Refusal("type", 'A secret is a text or {"secret": NAME}.', (), None))
    if not value:
        raise refused(Refusal("length", "A secret cannot be empty; leave the field out instead.", (), None))
    return value


Secret = Annotated[str | SecretName, WrapValidator(_read_secret)]
"""A literal, written and never read back, or the name of a deployment secret."""


class SmtpConfig(Document):
    """How to reach an SMTP server; `preset` tells whose it is.

    With `tls` `auto` port 465 is encrypted from the first byte, and any other port by STARTTLS as soon as the server offers
    it; `implicit` and `starttls` say which of both it is whatever the port. `require_tls` refuses a server without any.
    """

    preset: Literal["other", "mailgun", "mailjet", "mandrill", "oracledyn", "postmark", "sendgrid", "sparkpost"] = (
        "other"
    )
    host: NonEmptyText
    port: Annotated[int, Field(ge=1, le=65535, strict=True)]
    username: str | None = None
    password: Secret | None = None
    require_tls: StrictBool = True
    tls: Literal["auto", "implicit", "starttls"] = "auto"

    @field_validator("port")
    @classmethod
    def _not_blocked(cls, port: int) -> int:
        if port == BLOCKED_PORT:
            raise refused(Refusal("range", "Port 25 is for mail between servers; use 465, 587 or 2525.", (), port))
        return port


class SlackConfig(Document):
    """How to speak to Slack: the token of the app that was installed there."""

    bot_token: Secret


Channel = Literal["email", "sms", "push", "in_app", "inbox", "whatsapp", "line", "slack"]

CONFIGS: Final[Mapping[str, type[Document]]] = {"smtp": SmtpConfig, "slack": SlackConfig}
"""How each provider is configured; `capture`, which is none, has nothing to configure."""

CARRIES: Final[Mapping[str, tuple[str, ...]]] = {"smtp": ("email",), "slack": ("slack",), "capture": get_args(Channel)}
"""The channels of each provider."""


class ProviderDefinition(Definition):
    """One way out for a channel; exactly one enabled email provider serves `all`, which is the fallback.

    Mail from one of the `sender_domains`, or from below it, goes out this way before `use_for` is asked.
    """

    secrets: ClassVar[tuple[str, ...]] = ("/config/password", "/config/bot_token")
    configures: ClassVar[bool] = True

    kind: Literal["provider"]
    channel: Channel
    provider: Literal["smtp", "slack", "capture"]
    enabled: StrictBool = True
    use_for: tuple[UseFor, ...] = ("all",)
    sender_domains: tuple[DomainName, ...] = ()
    max_per_second: Annotated[float, Field(gt=0, strict=True)] | None = None
    config: SmtpConfig | SlackConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_to_configure(cls, value: Any) -> Any:
        """`capture` has nothing to configure, so an empty configuration is none."""
        if (
            not isinstance(value, dict)
            or value.get("provider") != "capture"
            or not isinstance(value.get("config"), dict)
        ):
            return value
        if value["config"]:
            names = [Refusal("unknown_field", "There is no such field here.", ("config", n)) for n in value["config"]]
            raise refused(*names)
        return {name: item for name, item in value.items() if name != "config"}

    @field_validator("config", mode="wrap")
    @classmethod
    def _config_fits(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """Read the configuration as that of its provider, so that every error points into it as it was written."""
        shape = CONFIGS.get(info.data.get("provider", ""))
        return handler(value) if shape is None or isinstance(value, shape) else shape.model_validate(value)

    @model_validator(mode="after")
    def _fits_together(self) -> ProviderDefinition:
        wrong: list[Refusal] = []
        if self.provider in CONFIGS and self.config is None:
            needed = "host and port" if self.provider == "smtp" else "the bot_token"
            wrong.append(Refusal("required", f"Say how to reach the provider: {needed}.", ("config",)))
        if self.channel not in CARRIES[self.provider]:
            carried = ", ".join(CARRIES[self.provider])
            message = f"'{self.provider}' carries {carried} only."
            wrong.append(Refusal("not_applicable", message, ("channel",), self.channel))
        if self.channel != "email" and self.use_for != ("all",):
            message = "Only email has providers for single uses; leave this out."
            wrong.append(Refusal("not_applicable", message, ("use_for",), list(self.use_for)))
        if self.channel != "email" and self.sender_domains:
            message = "Only email comes from a domain; leave this out."
            wrong.append(Refusal("not_applicable", message, ("sender_domains",), list(self.sender_domains)))
        if wrong:
            raise refused(*wrong)
        return self

    @field_validator("use_for", "sender_domains")
    @classmethod
    def _each_use_once(cls, uses: tuple[str, ...]) -> tuple[str, ...]:
        repeated = [i for i, use in enumerate(uses) if use in uses[:i]]
        if repeated:
            raise refused(*(Refusal("duplicate", f"'{uses[i]}' is listed twice.", (i,)) for i in repeated))
        return uses

    def serves(self, use: UseFor) -> bool:
        """Whether messages of the type go out this way."""
        return self.enabled and use in self.use_for

    def domain_for(self, domain: str) -> str | None:
        """The most specific of its sender domains that mail from a domain belongs to."""
        return nearest(domain, self.sender_domains) if self.enabled else None

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """One enabled provider at most for each channel and use, and one of email for `all` as soon as there is any."""
        others = [
            other
            for other in around.others(self.kind, self.key)
            if isinstance(other, ProviderDefinition) and other.channel == self.channel
        ]
        for use in self.use_for if self.enabled else ():
            rival = next((other.key for other in others if other.serves(use)), None)
            if rival is not None:
                served, at = (f"'{use}'", "/use_for") if self.channel == "email" else (self.channel, "/channel")
                message = f"The provider '{rival}' serves {served} already; only one enabled provider can."
                yield Problem(code="duplicate", pointer=at, message=message)
        for index, name in enumerate(self.sender_domains if self.enabled else ()):
            rival = next((other.key for other in others if other.enabled and name in other.sender_domains), None)
            if rival is not None:
                message = f"The provider '{rival}' takes the mail of {name} already; only one enabled provider can."
                yield Problem(code="duplicate", pointer=f"/sender_domains/{index}", message=message)
        if self.channel == "email" and len(others) >= MOST_EMAIL:
            message = f"A workspace has at most {MOST_EMAIL} email providers."
            yield Problem(code="length", pointer="/channel", message=message)
        everybody = [self, *others]
        if any(p.enabled for p in everybody) and not any(p.serves("all") for p in everybody):
            message = "One enabled email provider has to serve 'all': it takes what no other is named for."
            yield Problem(code="required", pointer="/use_for", message=message)
