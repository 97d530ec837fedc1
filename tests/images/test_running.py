"""The image does what `docker-compose.yml` asks of it, with nothing but its own files and what the lock installs for production."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import email
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import yaml

from settings import CHECKOUT
from stack.services import Services
from stack.sink import SmtpSink
from tests.api.conftest import free_port
from tests.images.containers import Ended, Image, ended
from tests.support.composing import environment, made_secrets, services
from tests.support.eventually import eventually

FIRST_MAIL = CHECKOUT / "deploy" / "first-mail"
API, WORKER = "http://127.0.0.1:8010", "http://127.0.0.1:8020"


class Place:
    """The compose file on this machine: its environments with the addresses of the servers that stand in for its own."""

    def __init__(self, servers: Services, folder: Path) -> None:
        self.secrets = made_secrets(folder / "secrets")
        self.ports = {"SOJOURN_API_PORT": str(free_port()), "SOJOURN_WORKER_PORT": str(free_port())}
        self._home = folder / "home"
        self._home.mkdir()
        database = urlsplit(servers.database_url)
        (self.secrets / "database_password").chmod(0o600)
        (self.secrets / "database_password").write_text(unquote(database.password or "") + "\n")
        self._addresses = {
            "SOJOURN_HOST": "127.0.0.1",
            "SOJOURN_DATABASE_URL": f"postgresql://{database.username}@{database.hostname}:{database.port}{database.path}",
            "SOJOURN_TEMPORAL_ADDRESS": servers.temporal_address,
        }

    def environment(self, name: str) -> dict[str, str]:
        """What a service sees."""
        return environment(services()[name], self.secrets) | self._addresses | self.ports | {"HOME": str(self._home)}

    def beside(self) -> Place:
        """The same with other ports, for a process that would have a container of its own."""
        other = copy.copy(self)
        other.ports = {name: str(free_port()) for name in self.ports}
        return other

    def contents(self) -> dict[str, str]:
        """What is secret here, by the name of its file."""
        return {path.name: path.read_text().strip() for path in self.secrets.iterdir() if path.is_file()}

    def check(self, name: str) -> list[str]:
        """The health check of a service, at the port it has here."""
        command = services()[name]["healthcheck"]["test"][1:]
        url = command[-1]
        for there, port in ((API, "SOJOURN_API_PORT"), (WORKER, "SOJOURN_WORKER_PORT")):
            url = url.replace(there, f"http://127.0.0.1:{self.ports[port]}")
        return [*command[:-1], url]

    def written(self) -> list[Path]:
        """What processes have left in the home of their user."""
        return list(self._home.rglob("*"))


@pytest.fixture
def place(servers: Services, tmp_path: Path) -> Place:
    return Place(servers, tmp_path)


async def test_from_nothing_to_the_first_mail(image: Image, place: Place, tmp_path: Path) -> None:
    before = image.fingerprint()
    given = [value for name in services(ours=True) for value in place.environment(name).values()]
    mails: list[bytes] = []

    async def keep(raw: bytes, _sender: str, _recipients: list[str]) -> None:
        mails.append(raw)

    for _ in range(2):
        prepared = await image.run(services()["setup"]["command"], place.environment("setup"))
        assert prepared.status == 0, prepared.printed
    assert "The namespace sojourn has its search attributes." in prepared.printed

    api, worker = services()["api"]["command"], ["python", "worker.py"]
    async with contextlib.AsyncExitStack() as held:
        serving = await held.enter_async_context(image.started(api, place.environment("api")))
        working = await held.enter_async_context(image.started(worker, place.environment("worker-send")))
        await image.healthy(place.check("api"), place.environment("api"), serving)
        await image.healthy(place.check("worker-send"), place.environment("worker-send"), working)
        sink = SmtpSink(0, on_message=keep)
        await sink.start()
        held.push_async_callback(sink.stop)

        line = place.environment("sojourn") | {"SOJOURN_URL": f"http://127.0.0.1:{place.ports['SOJOURN_API_PORT']}"}
        made = await image.run(["sojourn", "workspaces", "create", "Shop", "--json"], line)
        assert made.status == 0, made.printed
        keys = {each["kind"]: each for each in json.loads(made.printed)["credentials"]}
        documents = [document(each, sink) for each in yaml.safe_load_all((FIRST_MAIL / "mail.yaml").read_text())]
        (tmp_path / "mail.yaml").write_text(yaml.safe_dump_all(documents))
        applied = await image.run(["sojourn", "apply", str(tmp_path / "mail.yaml"), "--workspace", "Shop"], line)
        assert applied.status == 0, applied.printed
        await send(line["SOJOURN_URL"], keys["app"]["app_key"])
        await eventually(lambda: _has(mails), "the first mail arrives", 60)
        repaired = await image.run(["sojourn", "journeys", "repair"], line)
        assert "under way" in repaired.printed

        outcomes = [await ended(working), await ended(serving)]
        assert [outcome.status for outcome in outcomes] == [0, 0], outcomes
        for name in ("api", "worker-send"):
            assert (await image.run(place.check(name), place.environment(name))).status == 1
    seen = [*given, *(outcome.printed for outcome in outcomes)]
    assert not [name for name, secret in place.contents().items() if any(secret in text for text in seen)]
    (mail,) = mails
    assert email.message_from_bytes(mail)["Subject"] == "Hello Ann"
    assert image.fingerprint() == before
    assert place.written() == []


def document(found: dict[str, Any], sink: SmtpSink) -> dict[str, Any]:
    """A document of the first mail, mailpit being the sink."""
    if found["kind"] == "provider":
        assert (found["config"]["host"], found["config"]["port"]) == ("mailpit", 1025)
        return {**found, "config": {**found["config"], "host": sink.host, "port": sink.port}}
    return found


async def send(url: str, key: str) -> None:
    """The call that the guide shows."""
    call = {"transactional_message_id": "hello", "to": "ann@example.com", "identifiers": {"id": "7"}}
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}) as http:
        answer = await http.post("/v1/send/email", json={**call, "message_data": {"name": "Ann"}})
    assert answer.status_code == 200, answer.text


async def _has(mails: list[bytes]) -> list[bytes]:
    return mails


async def test_a_worker_of_each_role_is_healthy_and_ends_in_order(image: Image, place: Place) -> None:
    prepared = await image.run(services()["setup"]["command"], place.environment("setup"))
    assert prepared.status == 0, prepared.printed
    names = sorted(name for name in services(ours=True) if name.startswith("worker-"))
    outcomes = await asyncio.gather(*[_healthy(image, place.beside(), name) for name in names])
    assert {name: outcome.status for name, outcome in zip(names, outcomes, strict=True)} == dict.fromkeys(names, 0)
    assert not [outcome.printed for outcome in outcomes if '"level":"error"' in outcome.printed]


async def _healthy(image: Image, place: Place, name: str) -> Ended:
    async with image.started(services()[name]["command"], place.environment(name)) as process:
        await image.healthy(place.check(name), place.environment(name), process)
        return await ended(process)
