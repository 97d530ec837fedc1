"""Domain: what mail is sent from, or the host that its links are tracked on (MSG-19)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import StrictBool, StringConstraints, model_validator

from domain.definitions.base import Definition, Surroundings, Use, default_as_well
from domain.documents import Reference, Refusal, refused
from domain.errors import Problem
from domain.sending_domains import DomainName

Selector = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", max_length=63)]


class DomainDefinition(Definition):
    """One domain of the workspace. Its records are looked at when somebody asks, and at no other time.

    `sending_domain` is the domain whose mail a tracking host serves. `dkim_selector` is the one that the relay signs with,
    so that its key can be looked up.
    """

    configures: ClassVar[bool] = True
    initial_state: ClassVar[str | None] = "unverified"

    kind: Literal["domain"]
    domain: DomainName
    use: Literal["sending", "tracking"]
    sending_domain: Reference | None = None
    default: StrictBool = False
    dkim_selector: Selector | None = None

    @model_validator(mode="after")
    def _fits_its_use(self) -> DomainDefinition:
        wrong: list[Refusal] = []
        if self.use == "tracking" and self.sending_domain is None:
            wrong.append(Refusal("required", "Name the domain whose mail this host serves.", ("sending_domain",)))
        if self.use == "sending" and self.sending_domain is not None:
            message = "Only a tracking host belongs to a sending domain."
            wrong.append(Refusal("not_applicable", message, ("sending_domain",), self.sending_domain))
        if self.use == "tracking" and self.dkim_selector is not None:
            message = "Nothing is sent from a tracking host."
            wrong.append(Refusal("not_applicable", message, ("dkim_selector",), self.dkim_selector))
        if wrong:
            raise refused(*wrong)
        return self

    def uses(self) -> Iterator[Use]:
        """The domain a tracking host serves."""
        if self.sending_domain is not None:
            yield Use("domain", self.sending_domain, "/sending_domain")

    def check(self, around: Surroundings, /) -> Iterator[Problem]:
        """Each name once for each use, and a tracking host belongs to a domain that mail is sent from."""
        others = [other for other in around.others(self.kind, self.key) if isinstance(other, DomainDefinition)]
        rival = next((other.key for other in others if (other.domain, other.use) == (self.domain, self.use)), None)
        if rival is not None:
            yield Problem(code="duplicate", pointer="/domain", message=f"The domain '{rival}' is this one already.")
        hosts = {other.key for other in others if other.use == "tracking"} | {self.key}
        if self.sending_domain in hosts:
            message = f"'{self.sending_domain}' is not a domain that mail is sent from."
            yield Problem(code="unknown_reference", pointer="/sending_domain", message=message)

    def warnings(self, around: Surroundings, /) -> Iterator[Problem]:
        """Two defaults of the same use."""
        others = [other for other in around.others(self.kind, self.key) if isinstance(other, DomainDefinition)]
        rivals = [other.key for other in others if other.default and other.use == self.use]
        if self.default and rivals:
            yield default_as_well(rivals[0])


__all__ = ["DomainDefinition"]
