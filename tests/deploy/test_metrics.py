"""docs/metrics.md names what the programs export; rules and dashboard use nothing else."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

import hub.cli  # every program, and with it every metric
from hub.store.embedded import EmbeddedStore
from tests.deploy.places import ROOT
from tests.hub.harness import SECRET
from tests.hub.test_processes import started

RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "ordercast.json"
ROW = re.compile(r"^\| `(ordercast_\w+)` \| (\w+) \| ?([\w, ]*?) ?\| (.+) \|$", re.M)

Listed = dict[str, tuple[str, frozenset[str]]]
"""Kind and labels of each name."""


def documented() -> Listed:
    rows = ROW.findall((ROOT / "docs" / "metrics.md").read_text())
    return {name: (kind, frozenset(re.findall(r"\w+", labels))) for name, kind, labels, _ in rows}


def exported() -> Listed:
    assert hub.cli.main
    found: Listed = {}
    for collector in list(REGISTRY._collector_to_names):
        for family in collector.collect():
            if family.name.startswith("ordercast_"):
                name = family.name + ("_total" if family.type == "counter" else "")
                found[name] = (family.type, _labels(collector, family))
    return found


def _labels(collector: Any, family: Any) -> frozenset[str]:
    """Of one that has had no value yet there is no sample, but its collector knows."""
    told = {label for sample in family.samples for label in sample.labels} - {"le"}
    return frozenset(getattr(collector, "_labelnames", ())) | told


def test_the_list_is_whole_and_true() -> None:
    """Names, kinds and labels."""
    assert exported() == documented()


PROGRAMS = {
    "hub": ("serve", "--port", "0"),
    "bridge": ("bridge",),
    "worker": ("worker", "--audit-key", base64.b64encode(bytes(32)).decode()),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_tells_all_of_them(
    name: str, shared_store: EmbeddedStore, short_dir: Path, unused_tcp_port: int
) -> None:
    """At its operations port: the kinds of the list, and no label that is not in it."""
    ops = ("--ops-port", str(unused_tcp_port), "--data-dir", str(short_dir))
    shared = {"secret": SECRET, "redis_url": shared_store.url}
    with started(*PROGRAMS[name], *ops, **shared):
        told = httpx2.get(f"http://127.0.0.1:{unused_tcp_port}/metrics")
    listed = documented()
    kinds, labels = {}, dict[str, set[str]]()
    for family in text_string_to_metric_families(told.text):
        if family.name.startswith("ordercast_") and not family.name.endswith("_created"):
            full = family.name + ("_total" if family.type == "counter" else "")
            kinds[full] = family.type
            labels[full] = {label for sample in family.samples for label in sample.labels}
    assert {each: kind for each, (kind, _) in listed.items()} == kinds
    for each, used in labels.items():
        assert used - {"le"} <= listed[each][1], each


def test_no_label_grows_with_orders_or_people() -> None:
    """A label per order or rider would be a series for each."""
    labels = set().union(*(labels for _, labels in exported().values()))
    few = {"kind", "code", "reason", "route", "status", "how", "table", "stream", "band"}
    assert labels == {*few, "endpoint"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> list[tuple[str, str]]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    shown = [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]
    return [(rule["alert"], rule["expr"]) for rule in rules()] + shown


@pytest.mark.parametrize(("name", "expression"), expressions())
def test_what_is_asked_for_is_exported(name: str, expression: str) -> None:
    """Each metric, and each label that it is chosen or summed by."""
    known = exported()
    asked = re.findall(r"ordercast_\w+", expression)
    bases = [each if each in known else re.sub(r"_(bucket|sum|count)$", "", each) for each in asked]
    assert set(bases) <= set(known)
    labels = {"le", "instance", "job"}.union(*(known[base][1] for base in bases))
    used = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)
    used += re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", expression)))
    assert set(used) <= labels


def test_jobs_are_what_they_are_scraped_as() -> None:
    """Each pod has the port, and its component makes the job's name; alerts use no other."""
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yaml").read_text())
    assert [RULES.name] == scrape["rule_files"]
    (pods,) = scrape["scrape_configs"]
    kept, job, *_ = pods["relabel_configs"]
    made = set()
    for name in ("hub", "bridge", "worker"):
        text = (ROOT / "deploy" / "kubernetes" / f"{name}.yaml").read_text()
        spec = next(yaml.safe_load_all(text))["spec"]["template"]
        component = spec["metadata"]["labels"]["app.kubernetes.io/component"]
        (container,) = spec["spec"]["containers"]
        assert kept["regex"] in {port["name"] for port in container["ports"]}
        assert re.fullmatch(job["regex"], component)
        made.add(job["replacement"].replace("$1", component))
    asked = {each for rule in rules() for each in re.findall(r'job="([^"]+)"', rule["expr"])}
    assert asked <= made


def test_every_alert_says_what_is_the_matter() -> None:
    """A severity, and words."""
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]


def test_every_metric_is_on_the_dashboard() -> None:
    """What is worth exporting is worth a look."""
    shown = DASHBOARD.read_text()
    assert [] == [name for name in documented() if name not in shown]
