"""The one typed `Settings`, read from `SOJOURN_*` variables by the composition roots and by nothing else."""

import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from secret_files import SUFFIX, SecretFileError, in_folder, with_files

CHECKOUT = Path(__file__).resolve().parent
PREFIX = "SOJOURN_"
SECRET_PREFIX = "SOJOURN_SECRET_"  # noqa: S105 - the beginning of a variable's name
SECRETS_DIR = "SOJOURN_SECRETS_DIR"
SECRET_SIZE = 32
LEAST_VARIETY = 8
FROM_FILES = (
    "SOJOURN_DATABASE_URL",
    "SOJOURN_DATABASE_PASSWORD",
    "SOJOURN_DEPLOYMENT_KEY",
    "SOJOURN_ADMIN_TOKEN",
    "SOJOURN_LLM__ANTHROPIC_API_KEY",
    "SOJOURN_LLM__OPENAI_API_KEY",
    "SOJOURN_TRACING__HEADERS",
)
"""The settings that may stand in files, `<VARIABLE>_FILE`, beside every `SOJOURN_SECRET_<NAME>`."""

Port = Annotated[int, Field(ge=0, le=65535)]
Days = Annotated[int, Field(ge=1)]
Slots = Annotated[int, Field(ge=1, le=1000)]


def default_cache_dir() -> Path:
    """The cache folder where `SOJOURN_CACHE_DIR` is not set; root's home is usually closed to other users."""
    if os.geteuid() == 0:
        return Path("/var/cache/sojourn")
    return Path.home() / ".cache" / "sojourn"


def environment() -> dict[str, str]:
    """The variables of this process with what stands in files; raises `SecretFileError`."""
    return with_files(os.environ, FROM_FILES, SECRET_PREFIX)


def named_secrets() -> dict[str, str]:
    """The deployment secrets that stand in the environment or in files, by the name a definition calls them."""
    given = environment()
    found = {name.removeprefix(SECRET_PREFIX): value for name, value in given.items() if name.startswith(SECRET_PREFIX)}
    folder = given.get(SECRETS_DIR)
    kept = in_folder(Path(folder), SECRETS_DIR) if folder else {}
    for name in found.keys() & kept.keys():
        raise SecretFileError(f"{SECRET_PREFIX}{name} is set and a file in {SECRETS_DIR}, too: keep one of them.")
    return found | kept


def with_password(url: str, password: str) -> str:
    """The same URL of a database with this password; raises `ValueError` where it has one, or names no user."""
    place = urlsplit(url)
    if place.password is not None:
        raise ValueError(
            "SOJOURN_DATABASE_URL has a password already: leave it out there, or SOJOURN_DATABASE_PASSWORD."
        )
    if not place.username:
        raise ValueError("SOJOURN_DATABASE_URL names no user that SOJOURN_DATABASE_PASSWORD could belong to.")
    host = place.netloc.rpartition("@")[2]
    return place._replace(netloc=f"{place.username}:{quote(password, safe='')}@{host}").geturl()


class Environment(EnvSettingsSource):
    """Variables of the process, and of files that they name."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in environment().items() if value}


def key_bytes(text: str) -> bytes:
    """The bytes of a deployment key: decoded when it is written in hexadecimal, else its UTF-8."""
    try:
        decoded = bytes.fromhex(text)
    except ValueError:
        return text.encode()
    return decoded if len(decoded) >= SECRET_SIZE else text.encode()


def is_plain(secret: str) -> bool:
    """Whether a secret is too short, or made of too few different characters, for production."""
    return len(secret) < SECRET_SIZE or len(set(secret)) < LEAST_VARIETY


def pairs_of(text: str | None) -> dict[str, str]:
    """The pairs of `name=value,name=value`; raises `ValueError` where it is something else."""
    found: dict[str, str] = {}
    for part in filter(str.strip, (text or "").split(",")):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ValueError("must be `name=value`, several with commas between them")
        found[name.strip()] = value.strip()
    return found


class Retention(BaseModel):
    """How many days each kind of growing data is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_days: Days = Field(30, description="Rows of the ingest log, in partitions of a day; refused calls.")
    activities_days: Days = Field(30, description="The activity log of people, in partitions of a month.")
    contents_days: Days = Field(90, description="Rendered bodies of deliveries, in partitions of a month.")
    steps_days: Days = Field(400, description="Steps of journeys, in partitions of a month.")
    journeys_days: Days = Field(400, description="Ended journeys.")
    temporal_days: Days = Field(7, description="Closed workflows in the Temporal namespace.")

    def days_by_table(self) -> dict[str, int]:
        """How many days each table in partitions keeps its rows."""
        return {
            "ingest_log": self.log_days,
            "activities": self.activities_days,
            "delivery_contents": self.contents_days,
            "delivery_requests": self.contents_days,
            "journey_steps": self.steps_days,
            "rejected_calls": self.log_days,
        }


class WorkerSlots(BaseModel):
    """How much one worker process does at once on each task queue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    journeys: Slots = Field(100, description="Workflow tasks at once on queue `journeys`.")
    journeys_local: Slots = Field(50, description="Local activities (planning) at once on queue `journeys`.")
    send_now: Slots = Field(20, description="Batches of transactional sends at once on queue `send-now`.")
    send: Slots = Field(50, description="Deliveries at once on queue `send` (journeys).")
    send_bulk: Slots = Field(2, description="Broadcasts at once on queue `send-bulk`.")
    tasks: Slots = Field(4, description="Builds, imports and exports at once on queue `tasks`.")


class TracingSettings(BaseModel):
    """Where traces go, and of how many calls; without an endpoint, or a part of calls, there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = Field(
        None, description="Base address of an OTLP/HTTP collector, such as `http://collector:4318`; none: no traces."
    )
    sample: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1,
        description="Part of the calls without a trace of their caller's that is recorded; 0 records nothing at all.",
    )
    headers: str | None = Field(
        None, repr=False, description="Headers for the collector, `name=value` with commas: its keys."
    )
    attributes: str | None = Field(None, description="What the spans say of the deployment, `name=value` with commas.")

    @field_validator("headers", "attributes")
    @classmethod
    def _pairs(cls, text: str | None) -> str | None:
        pairs_of(text)
        return text


class LlmSettings(BaseModel):
    """How the deployment reaches language models; a provider with neither key nor address is not there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anthropic_api_key: str | None = Field(None, repr=False, description="Key of provider `anthropic` of LLM blocks.")
    anthropic_base_url: str | None = Field(
        None, description="Where it answers `/v1/messages`; none: https://api.anthropic.com."
    )
    openai_api_key: str | None = Field(None, repr=False, description="Key of provider `openai` of LLM blocks.")
    openai_base_url: str | None = Field(
        None,
        description="Where it, or what speaks like it, answers `/chat/completions`; none: https://api.openai.com/v1.",
    )
    fake: bool = Field(
        False, description="Whether provider `fake`, which makes answers up, works outside sandboxes as well."
    )

    @property
    def configured(self) -> frozenset[str]:
        """The providers that are there."""
        there = {
            "anthropic": self.anthropic_api_key or self.anthropic_base_url,
            "openai": self.openai_api_key or self.openai_base_url,
            "fake": self.fake,
        }
        return frozenset(name for name, value in there.items() if value)


class Settings(BaseSettings):
    """Everything a deployment decides; each field is read from `SOJOURN_<FIELD>`, parts of a group with `__`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    mode: Literal["development", "production"] = Field(
        "development", description="`production` refuses everything that only the local stack provides."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity logged.")

    data_dir: Path = Field(CHECKOUT / ".sojourn", description="Data of the local stack: secret, CA, databases, logs.")
    cache_dir: Path = Field(
        default_factory=default_cache_dir,
        description="What is built once for all checkouts, and PostgreSQL's data where its user cannot reach data_dir.",
    )

    database_url: str | None = Field(
        None, repr=False, description="A `postgresql://` URL (15 or later); none: the embedded PostgreSQL."
    )
    database_password: str | None = Field(
        None, repr=False, description="Password for the user of a `SOJOURN_DATABASE_URL` without one."
    )
    temporal_address: str | None = Field(None, description="host:port of an existing cluster; none: an own server.")
    temporal_namespace: str = Field("sojourn", description="Temporal namespace of every workflow.")
    temporal_path: Path | None = Field(None, description="A `temporal` binary to start instead of looking for one.")

    host: str = Field("127.0.0.1", description="Address the API and the worker's health endpoint listen on.")
    api_port: Port = Field(8010, description="API over http; 0 chooses a free port, as for every port here.")
    api_tls_port: Port = Field(8011, description="API over https.")
    temporal_port: Port = Field(7233, description="Own Temporal server.")
    temporal_ui_port: Port = Field(8233, description="Temporal UI of the own server.")
    temporal_ui_url: str | None = Field(
        None, description="Where people find the Temporal UI, for links to it; none: that of the own server, if any."
    )
    postgres_port: Port = Field(5433, description="Embedded PostgreSQL.")
    smtp_port: Port = Field(2525, description="SMTP sink of the local stack.")
    worker_port: Port = Field(8020, description="Health and metrics of a worker; further workers count up from it.")
    tls_cert_file: Path | None = Field(None, description="Certificate chain of the https listener; none: http only.")
    tls_key_file: Path | None = Field(None, description="Private key of the https listener.")
    public_url: str | None = Field(
        None, description="Base of tracking, unsubscribe and preference links; none: the API's own http address."
    )

    region: str = Field("us", description="The region that Track clients are told this deployment is in.")
    trusted_proxies: str | None = Field(
        None,
        description="Proxies whose `X-Forwarded-For` is believed: addresses or networks, with commas; none: nobody's.",
    )
    dns_servers: str | None = Field(
        None,
        description="Name servers asked for the records of domains, `address` or `address:port`, with commas; none: the machine's.",
    )
    rate_limits: Literal["off", "documented"] = Field(
        "off", description="`documented` refuses calls beyond the published rates with 429, except in sandboxes."
    )
    pipelines_reject_bad_keys: bool = Field(
        False,
        description="Whether Pipelines calls with an unknown write key get a 401 instead of a 200 without effect.",
    )

    deployment_key: str | None = Field(
        None, repr=False, description="Secret of the deployment, from which links are signed; none: data_dir/secret."
    )
    admin_token: str | None = Field(
        None, repr=False, description="Service-account token accepted beside those in the database."
    )
    secrets: dict[str, str] = Field(
        default_factory=named_secrets,
        repr=False,
        description='Values of `{"secret": NAME}` in definitions, each from `SOJOURN_SECRET_<NAME>`.',
    )

    secrets_dir: Path | None = Field(
        None, description="Folder whose files are such values as well: the name of each is `<NAME>`."
    )

    max_cached_workflows: Annotated[int, Field(ge=0)] = Field(600, description="Workflows a worker keeps in memory.")
    worker_slots: WorkerSlots = Field(
        default_factory=lambda: WorkerSlots.model_validate({}), description="Concurrency per task queue."
    )
    ambiguous_resend: bool = Field(
        False, description="Whether an email whose DATA phase was cut off is sent again (perhaps twice) or not at all."
    )
    allow_private_urls: bool = Field(
        False, description="Whether files and webhooks may be called at private, loopback and link-local addresses."
    )
    llm: LlmSettings = Field(
        default_factory=lambda: LlmSettings.model_validate({}), repr=False, description="Language models."
    )
    tracing: TracingSettings = Field(default_factory=lambda: TracingSettings.model_validate({}), description="Traces.")
    retention: Retention = Field(
        default_factory=lambda: Retention.model_validate({}), description="How long growing data is kept."
    )

    @field_validator("data_dir", "cache_dir", "temporal_path")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str | None) -> str | None:
        for part in (text or "").split(","):
            if part.strip():
                ip_network(part.strip())
        return text

    @model_validator(mode="before")
    @classmethod
    def _one_database_url(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Put the password where everybody who connects finds it."""
        password, url = given.get("database_password"), given.get("database_url")
        if password is None:
            return given
        if url is None:
            raise ValueError("SOJOURN_DATABASE_PASSWORD is of no use without SOJOURN_DATABASE_URL.")
        return {**given, "database_url": with_password(url, password), "database_password": None}

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.mode == "development":
            return self
        missing = [name for name in ("database_url", "temporal_address", "public_url") if getattr(self, name) is None]
        if missing:
            names = ", ".join(PREFIX + name.upper() for name in missing)
            raise ValueError(f"In production mode these must be set: {names}.")
        if self.deployment_key is None:
            raise ValueError(
                "In production mode SOJOURN_DEPLOYMENT_KEY must be set: make one with `openssl rand -hex 32`."
            )
        if is_plain(self.deployment_key):
            raise ValueError(
                "SOJOURN_DEPLOYMENT_KEY is too short or too plain for production mode: make one with "
                "`openssl rand -hex 32`."
            )
        if self.admin_token is not None and is_plain(self.admin_token):
            raise ValueError(
                "SOJOURN_ADMIN_TOKEN is too short or too plain for production mode: `sa_live_` and what "
                "`openssl rand -hex 20` prints."
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then the environment with its files; nothing else."""
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, Environment(settings_cls)

    @property
    def api_url(self) -> str:
        """Where the API answers over http on this machine."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def link_base_url(self) -> str:
        """What tracking, unsubscribe and preference links begin with, without a slash at the end."""
        return (self.public_url or self.api_url).rstrip("/")

    @property
    def proxies(self) -> list[str]:
        """The trusted proxies one by one."""
        return [part.strip() for part in (self.trusted_proxies or "").split(",") if part.strip()]

    @property
    def name_servers(self) -> list[str]:
        """The name servers one by one."""
        return [part.strip() for part in (self.dns_servers or "").split(",") if part.strip()]

    @property
    def workflows_url(self) -> str | None:
        """What the address of a workflow's page in the Temporal UI begins with, none where nobody knows the UI."""
        if self.temporal_ui_url is None:
            return None
        return f"{self.temporal_ui_url.rstrip('/')}/namespaces/{self.temporal_namespace}/workflows"

    @property
    def secret_file(self) -> Path:
        """Where the local stack keeps the deployment's secret."""
        return self.data_dir / "secret"

    @property
    def temporal_retention(self) -> timedelta:
        """How long the namespace keeps closed workflows."""
        return timedelta(days=self.retention.temporal_days)

    def secret_key(self) -> bytes:
        """The deployment's secret; raises `ValueError` where there is none yet."""
        if self.deployment_key is not None:
            return key_bytes(self.deployment_key)
        try:
            return self.secret_file.read_bytes()
        except FileNotFoundError:
            raise ValueError(
                f"There is no deployment secret: set SOJOURN_DEPLOYMENT_KEY, or start the local stack once, which "
                f"makes {self.secret_file}."
            ) from None

    def with_changes(self, **changes: Any) -> Self:
        """The same settings with these fields replaced and everything validated again."""
        return type(self)(**{**self.model_dump(), **changes})

    def to_environment(self) -> dict[str, str]:
        """The variables from which another process reads these very settings."""
        variables: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name in {"secrets", "secrets_dir"} or value is None:
                continue
            text = value.model_dump_json() if isinstance(value, BaseModel) else str(value)
            variables[PREFIX + name.upper()] = text
        return variables | {SECRET_PREFIX + name: value for name, value in self.secrets.items()}

    def child_environment(self) -> dict[str, str]:
        """The environment of a process started for these settings: this process's own with ours on top."""
        own = {PREFIX + name.upper() for name in type(self).model_fields}
        files = {name + SUFFIX for name in FROM_FILES}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.split("__")[0] not in own and name not in files and not name.startswith(SECRET_PREFIX)
        }
        return kept | self.to_environment()


def told(error: ValidationError | SecretFileError) -> list[str]:
    """What is wrong with the settings, a line for each thing, without any value."""
    if isinstance(error, SecretFileError):
        return [str(error)]
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        variable = PREFIX + "__".join(str(part) for part in problem["loc"]).upper()
        text = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}: {text}" if problem["loc"] else text)
    return lines


def load() -> Settings:
    """The settings of this process; one that cannot be right ends it with the name of the variable."""
    try:
        return Settings()
    except (ValidationError, SecretFileError) as error:
        raise SystemExit("\n".join(told(error))) from None
