"""Figures are documented as they are, and dashboards and alerts ask for none that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from settings import CHECKOUT
from telemetry import figures, spread, standing, temporal
from tests.support.promql import FOREIGN, Documented, asked, documented, faults, product_files

DEPLOY = CHECKOUT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "sojourn.json").read_text())
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
KNOWN = {name: frozenset(figure.labels) for name, figure in documented().items()} | FOREIGN


def in_code() -> dict[str, tuple[str, tuple[str, ...], bool]]:
    """Every figure there is: its kind, its labels, and whether it stands in the database."""
    found: dict[str, tuple[str, tuple[str, ...], bool]] = {}
    for value in vars(figures).values():
        if isinstance(value, MetricWrapperBase):
            ending = "_total" if value._type == "counter" else ""
            found[value._name + ending] = (value._type, tuple(value._labelnames), False)
        elif isinstance(value, spread.SpreadFigure):
            found[value.name] = ("histogram", (), False)
    for name, one in standing.STANDING.items():
        found[name] = ("gauge", one.labels, True)
    for name, kept in temporal.KEPT.items():
        ending = "_total" if kept.kind == "counter" else ""
        found[temporal.exposed(name) + ending] = (kept.kind, kept.labels, False)
    return found


def test_the_page_describes_the_figures_that_there_are_and_no_others():
    said = {name: (one.kind, one.labels, one.in_database) for name, one in documented().items()}
    assert said == in_code()


@pytest.mark.parametrize("name", sorted(documented()))
def test_each_figure_says_what_it_means_and_when_to_worry(name: str):
    one: Documented = documented()[name]
    assert len(one.meaning) > 10
    # Of three of Temporal's the others say when to worry.
    assert one.worry or name in {
        "temporal_worker_task_slots_used",
        "temporal_sticky_cache_size",
        "temporal_sticky_cache_hit_total",
    }


def test_no_label_is_one_that_prometheus_gives():
    """It would rename ours."""
    for name, figure in documented().items():
        assert not {"job", "instance", "le", "quantile"} & set(figure.labels), name


def test_figures_are_made_in_one_place():
    made = [path for path in product_files() if re.search(r"\bprometheus_client\b", path.read_text())]
    assert {path.relative_to(CHECKOUT).parts[0] for path in made} == {"telemetry"}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_panels_ask_for_what_there_is(panel: dict):
    assert panel["description"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        assert asked(target["expr"])
        assert faults(target["expr"], KNOWN) == []
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert shown <= set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", target["expr"])))) | {"instance"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alerts_ask_for_what_there_is_and_lead_somewhere(alert: dict):
    assert faults(alert["expr"], KNOWN) == []
    assert re.fullmatch(r"\d+[smh]", alert["for"])
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert alert["annotations"]["summary"]
    page, _, place = alert["annotations"]["runbook"].partition("#")
    assert page == "docs/troubleshooting.md"
    assert f"\n## {place}\n" in (CHECKOUT / page).read_text()


@pytest.mark.parametrize(
    "expression",
    [text for alert in ALERTS for text in [alert["expr"]]]
    + [target["expr"] for panel in PANELS for target in panel["targets"]],
)
def test_what_stands_in_the_database_is_never_added_up(expression: str):
    """Every process that reports it says the same."""
    names = {name for name in asked(expression) if name in documented() and documented()[name].in_database}
    if names:
        assert re.search(r"\bmax\b|absent", expression)
        assert not re.search(r"\bsum\b", expression)


def test_every_figure_of_ours_is_looked_at():
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    shown += " ".join(alert["expr"] for alert in ALERTS)
    looked_at = {name.removesuffix("_bucket") for name in asked(shown)}
    assert {name for name in documented() if name.startswith("sojourn_")} - looked_at == set()


def test_faults_of_expressions_are_found():
    known = {"sojourn_a_total": frozenset({"x"}), "sojourn_b_seconds": frozenset()}
    assert faults('sum by (x) (rate(sojourn_a_total{job="s", x="1"}[5m]))', known) == []
    assert faults("sum by (le) (rate(sojourn_b_seconds_bucket[5m]))", known) == []
    assert faults('sojourn_c{y="1"}', known) == ["there is no sojourn_c"]
    assert faults('sum by (z) (sojourn_a_total{y="1"})', known) == [
        "sojourn_a_total has no label y",
        "nothing has the label z",
    ]


def test_the_dashboard_can_be_imported():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert DASHBOARD["uid"]
    assert {one["name"]: one["type"] for one in DASHBOARD["templating"]["list"]} == {
        "datasource": "datasource",
        "job": "query",
    }
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_scrape_example_reads_the_rules():
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert [Path(file).name for file in config["rule_files"]] == ["alerts.yml"]
    assert all(job["job_name"].startswith("sojourn") for job in config["scrape_configs"])
