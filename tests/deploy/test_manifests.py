"""Compose, Kubernetes, systemd and the image: what they say of our programs is true."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.cli import cli
from hub.settings import Settings
from tests.deploy.places import ROOT

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SETTINGS = {f"ORDERCAST_{name.upper()}" for name in Settings.model_fields}
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = ("hub", "bridge", "worker")


def objects() -> Iterator[dict[str, Any]]:
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text())


def deployments() -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in objects() if each["kind"] == "Deployment"}


def pod(name: str) -> Any:
    return deployments()[name]["spec"]["template"]["spec"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    """An unknown one would stop the start."""
    assert set(re.findall(r"\bORDERCAST_[A-Z_]+\b", path.read_text())) <= SETTINGS


def test_every_command_is_one() -> None:
    """With flags that it has."""
    said = [container["args"] for name in OURS for container in pod(name)["containers"]]
    said += [COMPOSE["services"][name]["command"] for name in OURS]
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=\S*/ordercast (.+)$", unit.read_text(), re.M):
            said.append(shlex.split(line))
    assert {"serve", "bridge", "worker", "gateway-config"} == {words[0] for words in said}
    for command, *words in said:
        known = {flag for option in cli.commands[command].params for flag in option.opts}
        known -= {"--secret", "--audit-key", "--redis-url", "--jwks"}  # `ps` shows them to all
        assert {word for word in words if word.startswith("--")} <= known


def test_every_file_of_the_kustomization_is_there() -> None:
    """And every manifest is in it."""
    kustomization = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    listed = {DEPLOY / each for each in kustomization["resources"]}
    assert listed == set((DEPLOY / "kubernetes").glob("*.yaml"))
    for made in kustomization["configMapGenerator"]:
        for file in made.get("files", ()):
            assert (DEPLOY / file.partition("=")[2]).exists()


@pytest.mark.parametrize("name", [*OURS, "gateway"])
def test_pods_are_locked_down(name: str) -> None:
    """Not root, nothing to write, no rights; and no variables of services, which look like ours."""
    spec = pod(name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["enableServiceLinks"] is False
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        locked = container["securityContext"]
        assert locked["readOnlyRootFilesystem"] is True
        assert locked["allowPrivilegeEscalation"] is False
        assert locked["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


def test_a_hub_has_the_time_to_drain() -> None:
    """The sleep, the drain, 5 s for requests in flight."""
    drain = Settings.model_fields["drain_seconds"].default
    spec = pod("hub")
    sleep = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > sleep + drain + 5
    assert int(COMPOSE["services"]["hub"]["stop_grace_period"][:-1]) > drain + 5
    unit = (DEPLOY / "systemd" / "ordercast-hub@.service").read_text()
    assert int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]) > drain + 5


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_is_started_again_however_often_it_failed(unit: Path) -> None:
    """systemd gives up after five starts in ten seconds, unless told not to."""
    assert "\nStartLimitIntervalSec=0\n" in unit.read_text().partition("[Service]")[0]


@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "Service"])
def test_selectors_select(kind: str) -> None:
    """What a budget or a service asks for is what pods are labelled with."""
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in deployments().values()]
    chosen = [each["spec"]["selector"] for each in objects() if each["kind"] == kind]
    chosen = [each.get("matchLabels", each) for each in chosen]
    assert chosen
    assert all(each in labels for each in chosen)


def selected(selector: dict[str, Any]) -> set[str]:
    """The deployments whose pods it chooses."""
    chosen = set()
    for name, each in deployments().items():
        labels = each["spec"]["template"]["metadata"]["labels"]
        wanted = selector.get("matchLabels", {}).items() <= labels.items()
        for rule in selector.get("matchExpressions", ()):
            assert rule["operator"] == "In"
            wanted = wanted and labels[rule["key"]] in rule["values"]
        chosen |= {name} if wanted else set()
    return chosen


def test_every_port_is_open_to_whom_it_is_for() -> None:
    """Hubs to the gateway, metrics to Prometheus, the gateway to all; and to no one else."""
    found = set()
    for policy in (each["spec"] for each in objects() if each["kind"] == "NetworkPolicy"):
        assert policy["policyTypes"] == ["Ingress"]
        for rule in policy["ingress"]:
            (peer,) = rule.get("from", [{}])
            others = selected(peer["podSelector"]) if "podSelector" in peer else set(peer)
            for name in selected(policy["podSelector"]):
                found |= {(name, port["port"], *others) for port in rule["ports"]}
    assert found == {
        ("hub", "http", "gateway"),
        ("gateway", "http"),
        ("gateway", "https"),
        *((name, "ops", "namespaceSelector") for name in OURS),
    }
    for name, port, *_ in found:
        assert port in {each["name"] for each in pod(name)["containers"][0]["ports"]}


def test_the_key_of_the_audit_log_is_for_workers_alone() -> None:
    """Whoever has it can sign another log."""
    told = {name for name in OURS if "ORDERCAST_AUDIT_KEY" in str(pod(name))}
    told |= {name for name in OURS if "ORDERCAST_AUDIT_KEY" in str(COMPOSE["services"][name])}
    for unit in UNITS:
        files = re.findall(r"^EnvironmentFile=/etc/ordercast/(\S+)$", unit.read_text(), re.M)
        keys = "".join((DEPLOY / "systemd" / file).read_text() for file in files)
        told |= {unit.name} if "ORDERCAST_AUDIT_KEY" in keys else set()
    assert told == {"worker", "ordercast-worker@.service"}


def test_the_gateway_has_the_memory_for_its_connections() -> None:
    """A worker takes 424 bytes for each when it starts, whatever it is used for."""
    text = (DEPLOY / "nginx" / "nginx.conf").read_text()
    workers = int(re.findall(r"^worker_processes (\d+);", text, re.M)[0])
    connections = int(re.findall(r"worker_connections (\d+);", text)[0])
    (container,) = pod("gateway")["containers"]
    assert container["resources"]["requests"]["memory"] == "256Mi"
    assert workers * connections * 424 < 256 * 2**20


def test_ports_meet() -> None:
    """Probes, services and the list of hubs lead to where a hub listens."""
    container = pod("hub")["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {"http": Settings.model_fields["port"].default, "ops": 9000} == ports
    for file in ("nginx/hubs.dns.conf", "kubernetes/hubs.conf"):
        (server,) = re.findall(r"^server (\S+) resolve", (DEPLOY / file).read_text(), re.M)
        assert server.endswith(f":{ports['http']}")
    namespace = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())["namespace"]
    assert server.startswith(f"hub.{namespace}.svc")


def test_the_image_has_what_the_distribution_is_made_of() -> None:
    """Each package is copied, and not shut out of the context."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    context = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    for package in ("hub", "schemas", "clients"):
        assert f"COPY {package} {package}\n" in dockerfile
        assert f"!{package}" in context
    assert re.search(r"^USER (?!0|root)", dockerfile, re.M)


def test_the_image_has_what_the_pages_are_built_from() -> None:
    """The build reads more than its own directory."""
    stage, _, _ = (DEPLOY / "Dockerfile").read_text().partition("\nFROM python")
    copied = re.findall(r"^COPY (\S+) \1$", stage, re.M)
    built = (ROOT / "clients" / "js" / "vite.config.ts").read_text()
    for read in re.findall(r'new URL\("\.\./\.\./([^"]+)"', built):
        assert any(read.startswith(f"{each}/") for each in copied), read
