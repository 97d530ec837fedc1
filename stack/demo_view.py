"""What the demo shows: every happening as a line at its own instant and, in a terminal, a board of who stands where."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from rich.live import Live
from rich.text import Text

from console import showing
from console.failure import Refused
from console.words import instant, lasting, number, standing, state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from console.api import Api
    from console.documents import Source
    from stack.demo_cast import Character

PAUSE = 0.12
"""Between lines, where somebody watches."""
NAME, CAMPAIGN = 7, 16
NOT_FOUND = 404


@dataclass(frozen=True)
class Happening:
    """One line of the story and its place in it: lines are in order of their instants, then of their steps."""

    at: int
    order: tuple[int, ...]
    text: Text


@dataclass
class Followed:
    """What is known of one person: the journeys as they were last seen, the letters that were shown."""

    journeys: dict[str, dict[str, Any]] = field(default_factory=dict)
    letters: dict[str, dict[str, Any]] = field(default_factory=dict)


class Stage:
    """The people of one workspace and what was shown of them; a context while the board is up.

    `now` is where the clock stands that will be moved, None for real time.
    """

    def __init__(
        self,
        console: Console,
        api: Api,
        people: Mapping[str, Character],
        sources: Sequence[Source],
        now: int | None,
    ) -> None:
        self._console = console
        self._api = api
        self._people = list(people.values())
        self._followed = {who.id: Followed() for who in self._people}
        self._campaigns = {s.value["key"]: s.value for s in sources if s.value["kind"] in showing.SENDERS}
        self._now = now
        watched = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(self._board(), console=console, refresh_per_second=8) if watched else None
        self._mail = "\N{ENVELOPE}" if "utf" in console.encoding.lower() else "@"

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            self._live.update(self._board(), refresh=True)
            self._live.stop()
        else:
            self._console.print()
            self._console.print(self._board())

    def heading(self, title: str) -> None:
        """Say what comes."""
        self._console.print(Text(f"\n{title}", style="bold"))

    def note(self, text: str) -> None:
        """Say what was to be seen."""
        self._console.print(Text(text, style="dim"))

    def call(self, method: str, who: str, arguments: Sequence[Any], words: Mapping[str, Any]) -> None:
        """Show a call of the client library as one would write it."""
        parts = [repr(argument) for argument in (who, *arguments)]
        parts += [f"{name}={value!r}" for name, value in words.items()]
        self._console.print(Text(f"  cio.{method}({', '.join(parts)})", style="cyan"))

    def asked(self, call: str, answer: str) -> None:
        """Show a call to the App API as one would write it, and what came of it."""
        self._console.print(Text(f"  {call}", style="cyan"))
        self._console.print(Text(f"  -> {answer}", style="dim"))

    def moved(self, report: Mapping[str, Any]) -> None:
        """Show that time passed."""
        passed = report["now"] - report["from"]
        self._now = report["now"]
        steps = report.get("steps_total", 0)
        work = f", {number(steps, 'instant')} with something to do" if steps else ""
        text = f"  clock + {lasting(passed)}: {instant(report['now'])}{work}, done in {report.get('real_ms', 0)} ms"
        self._console.print(Text(text, style="dim"))

    def letters(self, who: Character) -> int:
        """How many letters somebody has received so far."""
        return len(self._followed[who.id].letters)

    def journey_of(self, who: Character) -> str:
        """The id of somebody's newest journey."""
        return max(self._followed[who.id].journeys, default="")

    async def look(self) -> None:
        """Show what is new since the last look."""
        found = [line for who in self._people for line in await self._news(who)]
        for line in sorted(found, key=lambda happening: (happening.at, happening.order)):
            self._console.print(line.text)
            if self._live is not None:
                self._live.update(self._board())
                await asyncio.sleep(PAUSE)
        if self._live is not None:
            self._live.update(self._board())

    async def _news(self, who: Character) -> list[Happening]:
        known = self._followed[who.id]
        path = f"/v1/customers/{who.id}/journeys"
        try:
            listed = (await asyncio.to_thread(self._api.get, path, limit=50))["journeys"]
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                return []  # the call about them is accepted, but not applied yet
            raise
        place = self._people.index(who)
        news: list[Happening] = []
        for journey in sorted(listed, key=lambda found: found["id"]):
            before = known.journeys.get(journey["id"])
            if before is not None and before["state"] != "in_progress":
                continue
            answer = await asyncio.to_thread(self._api.get, f"/v1/journeys/{journey['id']}")
            known.journeys[journey["id"]] = answer["journey"]
            news += self._of_journey(who, place, before, answer["journey"])
        inbox = await asyncio.to_thread(self._api.get, "/v1/mailbox", to=who.email, limit=100)
        for letter in inbox["messages"]:
            if letter["id"] not in known.letters:
                known.letters[letter["id"]] = letter
                news.append(self._of_letter(who, place, letter, known))
        return news

    def _of_journey(
        self, who: Character, place: int, before: dict[str, Any] | None, journey: dict[str, Any]
    ) -> Iterator[Happening]:
        nth = sorted(self._followed[who.id].journeys).index(journey["id"])
        campaign = self._campaigns.get(journey.get("campaign", ""), {})
        name = str(campaign.get("name", journey.get("campaign", "")))

        def line(at: int, step: int, part: int, text: Text | str) -> Happening:
            return Happening(at, (place, nth, step, part), self._line(at, who, name, text))

        if before is None:
            yield line(journey["started_at"], -1, 0, Text("enters", style="bold"))
        seen = {step["seq_num"]: step for step in (before or {}).get("steps", [])}
        for step in journey["steps"]:
            number = step["seq_num"]
            old = seen.get(number)
            block = campaign.get("workflow", {}).get("blocks", {}).get(step["block"], {})
            if old is None and (arrival := _arrival(step, block)) is not None:
                yield line(step["created_at"], number, 0, arrival)
            if (old is None or old["outcome"] != step["outcome"]) and (left := _departure(step, block)) is not None:
                yield line(step["left_at"] or step["created_at"], number, 1, left)
        if journey["state"] != "in_progress":
            yield line(journey["ended_at"], len(journey["steps"]) + 1, 2, _end(journey))

    def _of_letter(self, who: Character, place: int, letter: dict[str, Any], known: Followed) -> Happening:
        order = (place, 99, 0, 0)
        for nth, journey_id in enumerate(sorted(known.journeys)):
            for step in known.journeys[journey_id]["steps"]:
                if letter.get("delivery_id") is not None and step.get("delivery_id") == letter["delivery_id"]:
                    order = (place, nth, step["seq_num"], 0)
        sender = next((letter[kind] for kind in showing.SENDERS if letter.get(kind)), "")
        campaign = self._campaigns.get(sender, {})
        text = Text(f"{self._mail} {showing.subject(letter)}", style="bold green")
        return Happening(letter["at"], order, self._line(letter["at"], who, str(campaign.get("name", "")), text))

    def _line(self, at: int, who: Character, campaign: str, text: Text | str) -> Text:
        line = Text(f"  {instant(at)}  ", style="dim")
        line.append(f"{who.name:<{NAME}}", style="bold")
        line.append(f"{campaign:<{CAMPAIGN}}", style="default")
        return line.append_text(text if isinstance(text, Text) else Text(text, style="default"))

    def _board(self) -> Table:
        title = f"at {instant(self._now)} UTC" if self._now is not None else None
        board = showing.table("who", "campaign", "state", "stands at", "letters", title=title)
        for who in self._people:
            known = self._followed[who.id]
            journeys = [known.journeys[journey_id] for journey_id in sorted(known.journeys)]
            for nth, journey in enumerate(journeys):
                campaign = self._campaigns.get(journey.get("campaign", ""), {}).get("name", journey.get("campaign"))
                letters = str(len(known.letters)) if nth == len(journeys) - 1 else ""
                name = who.name if nth == 0 else ""
                board.add_row(name, str(campaign), state(journey), standing(journey), letters)
            if not journeys:
                board.add_row(who.name, "-", "-", "-", str(len(known.letters)))
        return board


def _label(step: Mapping[str, Any], block: Mapping[str, Any]) -> str:
    return str(block.get("name") or step["block"])


def _arrival(step: Mapping[str, Any], block: Mapping[str, Any]) -> Text | None:
    """What there is to say about somebody who has come to a block in which they stay."""
    until = step.get("delay_ends_at")
    waited = until is not None and (step["left_at"] or until) > step["created_at"]
    if step["outcome"] != "waiting" and not waited:
        return None
    kinds = {"time_delay": "waits", "time_window": f"waits for {_label(step, block).lower()}"}
    kind = kinds.get(str(block.get("type")), f"waits: {_label(step, block)}")
    end = f" until {instant(until)}" if until is not None else ""
    if block.get("type") == "wait_until" and until is not None:
        end = f" (at the latest {instant(until)})"
    return Text(kind + end, style="yellow")


def _departure(step: Mapping[str, Any], block: Mapping[str, Any]) -> Text | None:
    """What there is to say about somebody who has left a block."""
    outcome, label = step["outcome"], _label(step, block)
    if outcome == "branched":
        return Text(f"{label} -> {step.get('path') or step.get('branch_index')}", style="magenta")
    if outcome == "done" and block.get("type") == "update_person":
        return Text(f"{label}: profile updated", style="blue")
    if outcome in ("skipped", "failed", "drafted"):
        return Text(f"{label}: {outcome}. {step.get('explanation') or ''}".rstrip(), style="red")
    return None


def _end(journey: Mapping[str, Any]) -> Text:
    """How a journey ended."""
    if journey["state"] == "finished":
        why = f": {journey['explanation']}" if journey.get("explanation") else ""
        return Text(f"is through{why}", style="green")
    return Text(f"leaves early ({journey.get('reason')}): {journey.get('explanation') or ''}", style="cyan")
