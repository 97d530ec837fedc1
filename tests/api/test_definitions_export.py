"""The export of definitions: what it holds can be applied again without effect, whatever it is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.documents import read_sources
from settings import CHECKOUT
from tests.api.conftest import Keys
from tests.support.definitions import EVERY_KIND, SECRET, applied, bundle, campaign, segment

YAML = "application/yaml"
FOLDERS = sorted(path for path in (CHECKOUT / "examples").iterdir() if path.is_dir())


async def exported(workspace: Keys, query: str = "") -> dict[str, Any]:
    answer = await workspace.call("GET", f"/v1/definitions{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def as_yaml(workspace: Keys, query: str = "") -> bytes:
    answer = await workspace.call("GET", f"/v1/definitions{query}", headers={"Accept": YAML})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, YAML)
    return answer.content


async def assert_it_changes_nothing(workspace: Keys, count: int) -> None:
    for query in ("", "?view=compact"):
        again = await applied(workspace, await exported(workspace, query))
        assert {action for action, _, _ in again} == {"unchanged"}, query
        assert len(again) == count
        stream = await as_yaml(workspace, query)
        assert await applied(workspace, stream, headers={"Content-Type": YAML}) == again


async def test_every_kind_goes_out_and_in_without_effect(workspace: Keys) -> None:
    await applied(workspace, bundle(*EVERY_KIND))
    await assert_it_changes_nothing(workspace, len(EVERY_KIND))
    found = await exported(workspace)
    names = [(document["kind"], document["key"]) for document in found["definitions"]]
    assert names == sorted(names)
    by_name = dict(zip(names, found["definitions"], strict=True))
    assert by_name["collection", "courses"]["data"] == [{"id": 1, "no": "no"}, {"id": 2}]
    assert by_name["provider", "relay"]["config"]["password"] == "********"
    assert by_name["webhook", "crm"]["url"] == "https://********@crm.example.com/"
    assert SECRET not in str(found)
    assert SECRET.encode() not in await as_yaml(workspace)


@pytest.mark.parametrize("folder", FOLDERS, ids=[path.name for path in FOLDERS])
async def test_examples_go_out_and_in_without_effect(workspace: Keys, folder: Path) -> None:
    documents = [source.value for source in read_sources(folder)]
    await applied(workspace, bundle(*documents))
    await assert_it_changes_nothing(workspace, len(documents))


async def test_an_export_stands_in_another_workspace(workspace: Keys, live: Keys) -> None:
    documents = [one for one in EVERY_KIND if one["kind"] not in ("provider", "webhook", "campaign")]
    await applied(workspace, bundle(*documents))
    found = await exported(workspace)
    assert {action for action, _, _ in await applied(live, found)} == {"create"}
    assert await exported(live) == found


async def test_a_secret_has_to_be_given_where_none_is_stored(workspace: Keys, live: Keys) -> None:
    await applied(workspace, bundle(*EVERY_KIND))
    answer = await live.call("PUT", "/v1/definitions", await exported(workspace, "?kind=provider"))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("required", "/definitions/0/config/password")


@pytest.mark.parametrize("view", ["full", "compact"])
async def test_documents_read_as_they_are_written(workspace: Keys, view: str) -> None:
    await applied(workspace, bundle(*EVERY_KIND))
    for document in (await exported(workspace, f"?view={view}"))["definitions"]:
        assert list(document)[:2] == ["kind", "key"]
    path = "/v1/definitions/campaign/c"
    for where in (path, f"{path}/revisions/1"):
        text = (await workspace.call("GET", f"{where}?view={view}", headers={"Accept": YAML})).text
        assert text.startswith("kind: campaign\nkey: c\nname: C\n")
        assert text.index("trigger:") < text.index("workflow:") < text.index("  start:") < text.index("  blocks:")
        assert text.index("    mail:") < text.index("    call:") < text.index("    look:")


async def test_kinds_and_sources_are_chosen(workspace: Keys) -> None:
    await applied(workspace, bundle(segment("a"), campaign("c"), source="one"))
    await applied(workspace, bundle(segment("b"), source="two"))
    await applied(workspace, bundle({"kind": "snippet", "key": "s", "name": "s", "value": "x"}))
    everything = await exported(workspace)
    assert [document["key"] for document in everything["definitions"]] == ["c", "a", "b", "s"]
    assert "source" not in everything
    chosen = await exported(workspace, "?kind=snippet&kind=segment")
    assert [document["key"] for document in chosen["definitions"]] == ["a", "b", "s"]
    one = await exported(workspace, "?source=one")
    assert (one["source"], [document["key"] for document in one["definitions"]]) == ("one", ["c", "a"])
    assert await exported(workspace, "?source=none") == {"source": "none", "definitions": []}
    assert await as_yaml(workspace, "?source=none") == b""
    assert [action for action, _, _ in await applied(workspace, {**one, "prune": True})] == ["unchanged"] * 2


async def test_a_workspace_of_its_own_is_seen_and_nothing_else(workspace: Keys, live: Keys) -> None:
    await applied(workspace, bundle(segment("a")))
    assert await exported(live) == {"definitions": []}
