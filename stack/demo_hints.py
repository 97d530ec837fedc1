"""What to try after the demo: commands that work as they stand, with this stack's keys in them."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from settings import CHECKOUT, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack.description import StackDescription, WorkspaceKeys

JSON = "Content-Type: application/json"


def things_to_try(running: StackDescription, sandbox: WorkspaceKeys, you: str, journey_id: str) -> Iterator[Text]:
    """Four of them, each with a line about what it does; `you` is the id of somebody who is not there yet."""
    port = running.api_tls_url.rsplit(":", 1)[1]
    pair, customer = f"{sandbox.site_id}:{sandbox.api_key}", f"{running.api_url}/api/v1/customers/{you}"
    sojourn = command()
    yield Text("\nFour things to try in another terminal", style="bold")
    yield from _thing(
        "1. Start a journey with curl. The letter is there as soon as you ask for it.",
        f"curl -X PUT -u {pair} -H '{JSON}' {customer} -d '{{\"email\":\"{you}@example.com\"}}'",
        f"curl -X POST -u {pair} -H '{JSON}' {customer}/events "
        """-d '{"name":"planner_started","data":{"square_metres":30}}'""",
        f"{sojourn} mailbox list --to {you}@example.com",
    )
    yield from _thing(
        "2. Plan a bed with the Python client as it is published: the journey that waits for it wakes.",
        f"REQUESTS_CA_BUNDLE={running.ca_bundle_file} {sys.executable} -c "
        f"\"from customerio import CustomerIO; CustomerIO('{sandbox.site_id}', '{sandbox.api_key}', host='localhost', "
        f"port={port}).track('{you}', 'bed_planned', {{'plants': 3}})\"",
        f"{sojourn} people show {you}",
    )
    yield from _thing(
        "3. Look at a journey step by step, and let a day pass.",
        f"{sojourn} journeys show {journey_id}",
        f"{sojourn} clock advance P1D",
    )
    yield from _thing(
        "4. Ask for a receipt with curl, and trigger the broadcast for its own recipients: whoever has ordered.",
        f"curl -X POST -H 'Authorization: Bearer {sandbox.app_key}' -H '{JSON}' {running.api_url}/v1/send/email "
        f"""-d '{{"transactional_message_id":"receipt","to":"{you}@example.com","identifiers":{{"id":"{you}"}},"""
        """"message_data":{"order":"L-1042","total":"9.50"}}'""",
        f"{sojourn} mailbox list --to {you}@example.com",
        f"""{sojourn} broadcasts trigger frost-warning --data '{{"region": "the hills", "degrees": -9}}' --wait""",
    )


def command() -> str:
    """How `sojourn` is called from another terminal that stands where this one does."""
    program = Path(sys.executable).with_name("sojourn")
    if Path.cwd() == CHECKOUT and program.is_relative_to(CHECKOUT):
        program = program.relative_to(CHECKOUT)
    default = Settings.model_fields["data_dir"].default
    chosen = os.environ.get("SOJOURN_DATA_DIR")
    prefix = f"SOJOURN_DATA_DIR={shlex.quote(chosen)} " if chosen and Path(chosen) != default else ""
    return f"{prefix}{shlex.quote(str(program))}"


def _thing(what: str, *commands: str) -> Iterator[Text]:
    yield Text(what)
    for line in commands:
        yield Text(f"   {line}", style="cyan")
