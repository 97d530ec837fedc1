"""Who is calling: credentials looked up for each call, many calls in one query, nothing remembered between them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.definitions import SettingsDefinition, read_definition
from domain.errors import DomainError
from domain.track import Rules
from store import credentials as store
from store import definitions
from store.credentials import CredentialRow, KnownCaller
from store.database import Database

SCOPES = ("read", "read:sensitive", "write", "write:live", "configure", "send")
TOKEN_PREFIX = "sa_live_"  # noqa: S105 - how such tokens begin
USE_NOTED_EVERY = timedelta(minutes=1)
MAX_KEY_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose key was accepted; `workspace_id` None is the whole deployment, `scopes` None is everything.

    Where `allowed_ips` is not empty, the workspace takes calls from these addresses only. `clock_now` is the time of a
    sandbox at the look-up. `client_side`: the key is in the hands of everybody (API-35). `blocked_events` are names that are
    not taken from this source (API-40).
    """

    workspace_id: int | None
    name: str
    scopes: frozenset[str] | None = None
    definitions_rev: int = 0
    sandbox: bool = False
    allowed_ips: tuple[str, ...] = ()
    clock_now: datetime | None = None
    credential_id: int = 0
    client_side: bool = False
    blocked_events: frozenset[str] = frozenset()

    def may(self, scope: str) -> bool:
        """Whether the key carries the scope."""
        return self.scopes is None or scope in self.scopes


def hash_secret(secret: str) -> bytes:
    """The form in which a secret is kept and looked up; secrets are long and random, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


@dataclass
class _Ask:
    """The keys of the calls that wait for the next look into the database."""

    sites: set[str] = field(default_factory=set)
    hashes: set[bytes] = field(default_factory=set)
    tokens: set[bytes] = field(default_factory=set)
    answer: asyncio.Future[_Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(frozen=True, slots=True)
class _Answer:
    by_site: dict[str, KnownCaller]
    by_hash: dict[tuple[str, bytes], KnownCaller]
    tokens: dict[bytes, str]


class Access:
    """The door of one process.

    Every call waits for a query that begins after the call came in, so a revoked key is refused at once; calls that
    come in while a query is on its way share the next one. `admin_token` is accepted beside those in the database.
    """

    def __init__(self, db: Database, *, admin_token: str | None, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._admin = hash_secret(admin_token) if admin_token else None
        self._clock = clock
        self._next: _Ask | None = None
        self._asking: asyncio.Task[None] | None = None
        self._rules: dict[int, tuple[int, Rules]] = {}

    async def track(self, site_id: str, api_key: str) -> Caller:
        """The caller behind a Track pair; raises DomainError `unauthorized`."""
        if "\x00" in site_id or max(len(site_id), len(api_key)) > MAX_KEY_LENGTH:
            raise unauthorized()
        answer = await self._ask(lambda ask: ask.sites.add(site_id))
        known = answer.by_site.get(site_id)
        if known is None or not hmac.compare_digest(known.credential.secret_hash, hash_secret(api_key)):
            raise unauthorized()
        return _caller(known)

    async def site(self, site_id: str) -> Caller:
        """The workspace whose pages name this site id, which proves nothing; raises DomainError `unauthorized`."""
        if "\x00" in site_id or not 0 < len(site_id) <= MAX_KEY_LENGTH:
            raise unauthorized()
        known = (await self._ask(lambda ask: ask.sites.add(site_id))).by_site.get(site_id)
        if known is None:
            raise unauthorized()
        return _caller(known)

    async def bearer(self, token: str) -> Caller:
        """The caller behind an App key or a service-account token; raises DomainError `unauthorized`."""
        if len(token) > MAX_KEY_LENGTH:
            raise unauthorized()
        hashed = hash_secret(token)
        if token.startswith(TOKEN_PREFIX):
            if self._admin is not None and hmac.compare_digest(self._admin, hashed):
                return Caller(None, "admin")
            name = (await self._ask(lambda ask: ask.tokens.add(hashed))).tokens.get(hashed)
            if name is not None:
                return Caller(None, name)
        else:
            known = (await self._ask(lambda ask: ask.hashes.add(hashed))).by_hash.get(("app", hashed))
            if known is not None:
                return _caller(known)
        raise unauthorized()

    async def pipelines(self, write_key: str) -> Caller:
        """The caller behind a Pipelines key; raises DomainError `unauthorized`."""
        if len(write_key) > MAX_KEY_LENGTH:
            raise unauthorized()
        hashed = hash_secret(write_key)
        known = (await self._ask(lambda ask: ask.hashes.add(hashed))).by_hash.get(("pipelines", hashed))
        if known is None:
            raise unauthorized()
        return _caller(known)

    async def rules(self, caller: Caller) -> Rules:
        """What the caller's workspace says about calls, as of the revision its key was looked up with."""
        assert caller.workspace_id is not None, "keys of callers belong to a workspace"
        kept = self._rules.get(caller.workspace_id)
        if kept is not None and kept[0] == caller.definitions_rev:
            return kept[1]
        async with self._db.connection() as conn:
            row = await definitions.get(conn, caller.workspace_id, "settings", "workspace")
        rules = Rules()
        document = read_definition(row.document)[0] if row is not None else None
        if isinstance(document, SettingsDefinition):
            limits = document.limits
            rules = Rules(
                document.identifiers == "email_or_id",
                limits.attribute_value_bytes,
                limits.attributes_per_call,
                semantic_event_aliases=document.semantic_event_aliases,
            )
        self._rules[caller.workspace_id] = (caller.definitions_rev, rules)
        return rules

    async def _ask(self, add: Callable[[_Ask], None]) -> _Answer:
        if self._next is None:
            self._next = _Ask()
        ask = self._next
        add(ask)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._answer_all())
        return await asyncio.shield(ask.answer)

    async def _answer_all(self) -> None:
        while (ask := self._next) is not None:
            self._next = None
            try:
                answer = await self._look(ask)
            except Exception as error:  # noqa: BLE001 - it is raised where each of the calls waits
                ask.answer.set_exception(error)
            else:
                ask.answer.set_result(answer)

    async def _look(self, ask: _Ask) -> _Answer:
        found: list[KnownCaller] = []
        tokens: list[tuple[bytes, str]] = []
        async with self._db.connection() as conn:
            if ask.sites or ask.hashes:
                found = await store.find(conn, sites=list(ask.sites), hashes=list(ask.hashes))
            if ask.tokens:
                tokens = await store.find_tokens(conn, list(ask.tokens))
            now = self._clock()
            unnoted = [known.credential for known in found if _is_unnoted(known.credential, now)]
            if unnoted:
                await store.touch(conn, [(c.workspace_id, c.credential_id) for c in unnoted], now)
        by_site = {known.credential.site_id: known for known in found if known.credential.site_id is not None}
        by_hash = {(known.credential.kind, known.credential.secret_hash): known for known in found}
        return _Answer(by_site, by_hash, dict(tokens))


def unauthorized() -> DomainError:
    """The refusal of a call without a valid credential."""
    return DomainError("unauthorized", "Missing or unknown credential.")


def require(caller: Caller, scopes: Collection[str]) -> None:
    """Refuse a caller whose key lacks one of the scopes (`forbidden_scope`)."""
    lacking = [scope for scope in scopes if not caller.may(scope)]
    if lacking:
        raise DomainError("forbidden_scope", f"The key lacks the scope '{lacking[0]}'.")


def _caller(known: KnownCaller) -> Caller:
    credential = known.credential
    scopes = None if credential.scopes is None else frozenset(credential.scopes)
    return Caller(
        credential.workspace_id,
        credential.name,
        scopes,
        known.definitions_rev,
        known.sandbox,
        tuple(known.allowed_ips),
        known.clock_now,
        credential.credential_id,
        client_side=credential.settings.get("client_side") is True,
        blocked_events=frozenset(credential.settings.get("blocked_events", ())),
    )


def _is_unnoted(credential: CredentialRow, now: datetime) -> bool:
    return credential.last_used_at is None or now - credential.last_used_at >= USE_NOTED_EVERY


__all__ = ["SCOPES", "TOKEN_PREFIX", "Access", "Caller", "hash_secret", "require", "unauthorized"]
