"""`make demo`: the stack does its main job once before your eyes, then keeps running."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from customerio import APIClient, CustomerIO, CustomerIOException, SendEmailRequest

from console import applying
from console.api import Api
from console.documents import read_sources
from console.failure import Failure, Refused
from console.words import lasting
from settings import CHECKOUT
from stack.demo_cast import LIVE_ACT, SANDBOX_ACTS, Call, Move, Send, Trigger, cast
from stack.demo_hints import things_to_try
from stack.demo_view import Stage
from stack.process import StackError
from stack.up import UI_PATH, run_up

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from console.documents import Source
    from settings import Settings
    from stack.demo_cast import Character, Step
    from stack.description import StackDescription, WorkspaceKeys
    from stack.supervisor import Stack

EXAMPLES = CHECKOUT / "examples"
LIVE_LIMIT = 45.0
LIVE_POLL = 0.2
NOT_FOUND = 404


def run_demo(settings: Settings) -> int:
    """Run the stack with the demo in front; returns the exit status."""

    async def then(stack: Stack, console: Console) -> None:
        try:
            await Demo(stack.describe(), console).run()
        except (Failure, CustomerIOException) as error:
            raise StackError(f"The demo could not go on: {error}") from None

    return run_up(settings, then=then)


@dataclass(frozen=True)
class Scene:
    """A workspace while the demo plays in it; `desk` is where its pages begin, `begin` its instant at the beginning."""

    api: Api
    client: CustomerIO
    app: APIClient
    desk: str
    stage: Stage
    people: dict[str, Character]
    begin: int


class Demo:
    """One run of the demo against a running stack, with people of its own."""

    def __init__(self, running: StackDescription, console: Console) -> None:
        self._running = running
        self._console = console

    async def run(self) -> None:
        """Play everything: the sandbox with its own clock first, then a journey in real time over real SMTP."""
        # Before the first call over https: the client reads it to learn whom to trust.
        os.environ["REQUESTS_CA_BUNDLE"] = str(self._running.ca_bundle_file)
        os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost", "127.0.0.1"]))
        began = time.monotonic()
        sandbox = next(keys for keys in self._running.workspaces if keys.sandbox)
        live = next(keys for keys in self._running.workspaces if not keys.sandbox)
        you, journey_id = await self._play_sandbox(sandbox)
        await self._play_live(live)
        self._console.print(f"\nThe demo took {lasting(time.monotonic() - began)}.", style="dim")
        for line in things_to_try(self._running, sandbox, you, journey_id):
            self._console.print(line)

    async def _play_sandbox(self, keys: WorkspaceKeys) -> tuple[str, str]:
        """Two weeks of four people in a few seconds; returns a free id for the visitor and a journey worth a look."""
        self._heading(
            "The sandbox",
            "A workspace whose clock stands still until it is moved. Days pass in seconds, with the same code, the same",
            "Temporal and the same database as in real time, and everything happens at its exact instant.",
        )
        with Api(self._running.api_url, keys.app_key) as api:
            sources = await self._prepare(api, EXAMPLES / "shop")
            run = await _free_number(api, "ann")
            scene = await self._scene(api, keys, cast(run), sources)
            with scene.client, scene.app, scene.stage as stage:
                for act in SANDBOX_ACTS:
                    stage.heading(act.title)
                    for step in act.steps:
                        await _play(scene, step)
                return f"you-{run}", stage.journey_of(scene.people["ann"])

    async def _play_live(self, keys: WorkspaceKeys) -> None:
        """One person in real time: a timer of a few seconds in Temporal, a conversation with an SMTP server."""
        self._heading(
            "The live workspace",
            "Real time now: the waits are timers in Temporal, the letters leave over SMTP and are received by the sink.",
        )
        with Api(self._running.api_url, keys.app_key) as api:
            sources = await self._prepare(api, EXAMPLES / "live")
            # The sink would load it with the first letter, before the eyes of whoever waits for that letter.
            await asyncio.to_thread(import_module, "store.mailbox")
            people = cast(await _free_number(api, "eve"), live=True)
            scene = await self._scene(api, keys, people, sources)
            with scene.client, scene.app, scene.stage as stage:
                stage.heading(LIVE_ACT.title)
                *before, review = LIVE_ACT.steps
                for step in before:
                    await _play(scene, step)
                await _watch(stage, people["eve"], letters=1)
                await _play(scene, review)
                said = time.monotonic()
                await _watch(stage, people["eve"], letters=2)
                took = time.monotonic() - said
                stage.note(f"  The review woke the waiting journey; its letter was seen {took:.1f} s after the call.")

    async def _scene(self, api: Api, keys: WorkspaceKeys, people: dict[str, Character], sources: list[Source]) -> Scene:
        begin = await _now(api)
        stage = Stage(self._console, api, people, sources, begin if keys.sandbox else None)
        app = APIClient(keys.app_key, url=self._running.api_tls_url)
        desk = f"{self._running.api_url}{UI_PATH}/{keys.id}"
        return Scene(api, _client(self._running, keys), app, desk, stage, people, begin)

    async def _prepare(self, api: Api, folder: Path) -> list[Source]:
        """Apply a folder and start what is in it; what runs from an earlier start stays as it is."""
        shown = folder.relative_to(CHECKOUT)
        self._console.print(f"$ sojourn apply {shown}", style="cyan")
        sources = read_sources(folder)
        result = await asyncio.to_thread(applying.Bundle(sources, str(shown)).send, api)
        applying.print_result(self._console, result, sources)
        for source in sources:
            if source.value["kind"] in ("campaign", "broadcast"):
                await self._start(api, source.value["kind"], source.value["key"])
        await asyncio.to_thread(api.post, "/v1/clock/settle", {})
        return sources

    async def _start(self, api: Api, kind: str, key: str) -> None:
        record = await asyncio.to_thread(api.get, f"/v1/definitions/{kind}/{key}")
        state = record["status"]["state"]
        if state == "draft":
            await asyncio.to_thread(api.post, f"/v1/{kind}s/{key}/start", {})
            self._console.print(
                f"$ sojourn {'campaign' if kind == 'campaign' else 'broadcasts'} start {key}", style="cyan"
            )
        else:
            self._console.print(f"{kind} {key} is {state} already", style="dim")

    def _heading(self, title: str, *lines: str) -> None:
        self._console.print(f"\n{title}", style="bold")
        for line in lines:
            self._console.print(line, style="dim")
        self._console.print()


async def _play(scene: Scene, step: Step) -> None:
    """One step: a call of the client library, shown as one would write it, or time that passes."""
    if isinstance(step, Call):
        who = scene.people[step.who]
        arguments, words = step.filled(who, await _now(scene.api))
        scene.stage.call(step.method, who.id, arguments, words)
        await asyncio.to_thread(getattr(scene.client, step.method), who.id, *arguments, **words)
        return
    if isinstance(step, Send):
        await _send(scene, step)
        return
    if isinstance(step, Trigger):
        await _trigger(scene, step)
        return
    if isinstance(step, Move):
        to = scene.begin + step.to
        scene.stage.moved(await asyncio.to_thread(scene.api.post, "/v1/clock/advance", {"to": to}))
    else:
        await asyncio.to_thread(scene.api.post, "/v1/clock/settle", {})
    await scene.stage.look()


async def _send(scene: Scene, step: Send) -> None:
    """A transactional email through the client library, and where to see what became of it."""
    said = step.filled(scene.people[step.who])
    answer = await asyncio.to_thread(scene.app.send_email, SendEmailRequest(**said))
    words = ", ".join(f"{name}={value!r}" for name, value in said.items())
    delivery = answer["delivery_id"]
    place = f"{scene.desk}/messages/{delivery}"
    scene.stage.asked(f"api.send_email(SendEmailRequest({words}))", f"delivery {delivery}   {place}")


async def _trigger(scene: Scene, step: Trigger) -> None:
    """A broadcast by one call, for which the client library has no method, and how it ended."""
    path = f"/v1/campaigns/{step.broadcast}/triggers"
    body = {"data": dict(step.says), "ids": [scene.people[name].id for name in step.whom]}
    number = (await asyncio.to_thread(scene.api.post, path, body))["id"]
    place = f"{scene.desk}/broadcasts/{step.broadcast}/triggers/{number}"
    scene.stage.asked(f"POST {path} {json.dumps(body)}", f"trigger {number}   {place}")
    await asyncio.to_thread(scene.api.post, "/v1/clock/settle", {})
    await scene.stage.look()
    found = await asyncio.to_thread(scene.api.get, f"{path}/{number}")
    reached = f"{found['position']} of {found['recipients_count']} people"
    became = ", ".join(f"{count} {word}" for word, count in found["deliveries"].items())
    scene.stage.note(f"  trigger {number} is {found['state']}: {reached}, messages: {became}")


async def _watch(stage: Stage, who: Character, *, letters: int) -> None:
    """Show what happens as it happens, until so many letters have been received."""
    deadline = time.monotonic() + LIVE_LIMIT
    while True:
        await stage.look()
        if stage.letters(who) >= letters:
            return
        if time.monotonic() > deadline:
            raise Failure(
                f"{who.name} received {stage.letters(who)} of {letters} letters within {LIVE_LIMIT:.0f} s. The logs of "
                "the stack are in the folder `logs` beside `stack.json`."
            )
        await asyncio.sleep(LIVE_POLL)


async def _now(api: Api) -> int:
    now: int = (await asyncio.to_thread(api.get, "/v1/clock"))["now"]
    return now


def _client(running: StackDescription, keys: WorkspaceKeys) -> CustomerIO:
    """The client library as it is published, pointed at this server."""
    port = int(running.api_tls_url.rsplit(":", 1)[1])
    return CustomerIO(keys.site_id, keys.api_key, host="localhost", port=port)


async def _free_number(api: Api, name: str) -> int:
    """The first number whose people are not there yet, so that every run has people of its own."""
    number = 1
    while True:
        try:
            await asyncio.to_thread(api.get, f"/v1/customers/{name}-{number}/journeys")
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                return number
            raise
        number += 1


__all__ = ["Demo", "run_demo"]
