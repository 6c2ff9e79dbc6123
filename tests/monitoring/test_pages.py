"""The dashboard and the alert rules load, and name only metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rpc.errors import CATALOGUE
from rpc.monitoring.metrics import Metrics
from rpc.registry import METHODS
from tests.monitoring.test_metrics import IDLE
from tests.waiting import FAR

ROOT = Path(__file__).parent.parent.parent
PAGES = ROOT / "rpc" / "monitoring"
ALERTS, CASES = PAGES / "alerts.yml", Path(__file__).parent / "alerts.test.yml"
DASHBOARD = json.loads((PAGES / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]

needs_promtool = pytest.mark.needs("promtool")


def queries() -> Iterator[str]:
    """Every query of the dashboard, with Grafana's variables filled in."""
    for panel in PANELS:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m")
            yield re.sub(r"\$(job|instance)", ".*", query)


EXPRESSIONS = [*queries(), *(rule["expr"] for rule in RULES)]


def series() -> dict[str, set[str]]:
    """The labels of every series that a scrape can show, by its name."""
    found: dict[str, set[str]] = {"up": set()}
    for family in Metrics(METHODS).families(IDLE):
        labels = set(getattr(family, "_labelnames", ()))
        match family.type:
            case "counter":
                found[f"{family.name}_total"] = labels
            case "histogram":
                found |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
                found[f"{family.name}_bucket"] = labels | {"le"}
            case _:
                found[family.name] = labels
    return found


SERIES = series()
_SELECTOR = re.compile(r"\b((?:core_rpc|process|python)_\w+|up)\b(?:\{([^}]*)\})?")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_that_is_asked_for_is_there(expression):
    asked = _SELECTOR.findall(expression)

    assert asked
    for name, matchers in asked:
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        assert name in SERIES
        assert labels - {"job", "instance"} <= SERIES[name]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_put_together_by_a_label_has_it(expression):
    kept = {name.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for name in group.split(",")}
    [first, *_] = _SELECTOR.findall(expression)

    assert kept <= SERIES[first[0]] | {"job", "instance"}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_words_that_are_asked_for_are_in_the_catalogue(expression):
    words = set(re.findall(r'(?:outcome|reason)\s*!?="(\w+)"', expression))

    assert words <= {"ok", *CATALOGUE}


# The dashboard, as Grafana wants it


def test_the_dashboard_has_what_grafana_needs_to_import_it():
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time", "tags"} <= set(DASHBOARD)
    assert isinstance(DASHBOARD["schemaVersion"], int)
    assert re.fullmatch(r"[\w-]{1,40}", DASHBOARD["uid"])
    assert "id" not in DASHBOARD  # the number of one Grafana's own; with it, another refuses the import


def test_the_dashboard_asks_for_its_data_source_job_and_instance():
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}

    assert list(variables) == ["datasource", "job", "instance"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    for name in ("job", "instance"):
        query = variables[name]["query"]["query"]
        metric = re.fullmatch(rf"label_values\((\w+)(?:\{{.*\}})?, {name}\)", query)[1]
        assert variables[name]["type"] == "query"
        assert metric in SERIES


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_has_what_grafana_needs_to_draw_it(panel):
    assert panel["type"] in ("stat", "timeseries")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert {"defaults", "overrides"} == set(panel["fieldConfig"])
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["options"]
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        assert target["legendFormat"]
        assert 'job=~"$job", instance=~"$instance"' in target["expr"]
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)


def test_panels_have_numbers_of_their_own_and_lie_beside_each_other():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    squares = [square for panel in DASHBOARD["panels"] for square in covered(panel["gridPos"])]

    assert len(set(ids)) == len(ids)
    assert len(set(squares)) == len(squares)
    assert all(0 <= across < 24 for across, _ in squares)


def covered(place: dict[str, int]) -> list[tuple[int, int]]:
    return [
        (across, down)
        for across in range(place["x"], place["x"] + place["w"])
        for down in range(place["y"], place["y"] + place["h"])
    ]


def test_the_dashboard_shows_every_metric_of_calls_load_and_database():
    shown = {name for query in queries() for name, _ in _SELECTOR.findall(query)}
    bases = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}

    ours = {re.sub("_(bucket|sum|count)$", "", name) for name in SERIES if name.startswith("core_rpc_")}

    # How long the writer has been at it is for an alert; the schema's version is for who looks.
    assert ours - bases == {"core_rpc_writer_busy_seconds", "core_rpc_schema_info"}


# The alert rules


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_has_what_who_is_woken_needs(rule):
    assert re.fullmatch("CoreRpc[A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert "{{ $labels.instance }}" in rule["annotations"]["summary"]


def test_every_rule_is_tried_out():
    [group] = yaml.safe_load(CASES.read_text())["tests"][:1]
    [fired] = group["promql_expr_test"]

    names = {re.search('alertname="(\\w+)"', sample["labels"])[1] for sample in fired["exp_samples"]}

    assert {rule["alert"] for rule in RULES} == names


@needs_promtool
def test_prometheus_loads_the_rules():
    done = promtool("check", "rules", ALERTS)

    assert f"SUCCESS: {len(RULES)} rules found" in done


@needs_promtool
def test_each_rule_fires_when_it_should_and_none_when_all_is_well():
    assert "SUCCESS" in promtool("test", "rules", CASES)


@needs_promtool
def test_prometheus_can_read_every_query_of_the_dashboard(tmp_path):
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries())]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", file)


@needs_promtool
def test_prometheus_finds_no_fault_with_the_metrics(server, request_to):
    text = request_to(server, "GET", "/metrics").body.decode()

    assert promtool("check", "metrics", given=text) == ""


def promtool(*words: object, given: str | None = None) -> str:
    done = subprocess.run(
        ["promtool", *map(str, words)], input=given, capture_output=True, text=True, timeout=FAR, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
