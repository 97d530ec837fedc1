"""`docker-compose.yml` fits the code: roles, settings, ports, secrets, health, order, limits."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import worker
from api import app
from api.management import health
from settings import CHECKOUT, FROM_FILES, PREFIX, Settings
from store.database import Database
from tests.support.composing import OWN_IMAGE, PUBLIC_URL, TEXT, compose, environment, filled, made_secrets, services
from tests.support.image import dockerfile

COMMAND_LINE = {"SOJOURN_URL", "SOJOURN_KEY_FILE"}
"""What `sojourn` reads for itself, beside the settings."""
LONG_RUNNING = [name for name, service in services(profiles=False).items() if service["restart"] == "unless-stopped"]
OURS = list(services(ours=True))


def default(field: str) -> Any:
    return Settings.model_fields[field].default


def roles_of(service: dict[str, Any]) -> list[str]:
    command = service.get("command", [])
    return worker.read_roles(command[3]) if command[:3] == ["python", "worker.py", "--roles"] else []


def seconds(text: str) -> float:
    amount, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()
    return int(amount) * {"s": 1, "m": 60}[unit]


def test_every_role_is_served_once_and_alone() -> None:
    served = {name: roles_of(service) for name, service in services(ours=True, profiles=False).items()}
    assert sorted(role for roles in served.values() for role in roles) == sorted(worker.ROLES)
    assert {name: roles for name, roles in served.items() if roles} == {
        f"worker-{role}": [role] for role in worker.ROLES
    }


def test_the_processes_are_those_that_exist() -> None:
    commands = {name: service.get("command") for name, service in services(ours=True).items() if not roles_of(service)}
    assert commands == {"setup": ["sojourn", "setup"], "api": ["python", "-m", "api.app"], "sojourn": None}
    assert services()["sojourn"]["entrypoint"] == ["sojourn"]
    assert all((CHECKOUT / name).exists() for name in ("worker.py", "api/app.py", "cli.py", "probe.py"))


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    fields = {PREFIX + field.upper() for field in Settings.model_fields}
    known = fields | {f"{variable}_FILE" for variable in FROM_FILES} | (COMMAND_LINE if name == "sojourn" else set())
    assert set(services()[name]["environment"]) <= known
    asked = set(re.findall(r"\$\{(SOJOURN_\w+)", TEXT))
    assert asked <= fields


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_every_service_are_fit_for_production(name: str, monkeypatch, tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path / "secrets")
    (secrets / "named" / "SMTP_PASSWORD").write_text("hush\n")
    for variable, value in environment(services()[name], secrets).items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    password = (secrets / "database_password").read_text().strip()
    assert settings.mode == "production"
    assert settings.host == "0.0.0.0"
    assert settings.database_url == f"postgresql://sojourn:{password}@postgres/sojourn"
    assert settings.temporal_address == f"temporal:{default('temporal_port')}"
    assert settings.link_base_url == PUBLIC_URL
    assert settings.deployment_key == (secrets / "deployment_key").read_text().strip()
    assert settings.admin_token.startswith("sa_live_")
    assert settings.secrets["SMTP_PASSWORD"] == "hush"
    assert settings.temporal_retention == timedelta(days=7)


def test_ports_are_those_of_the_settings_and_open_to_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert {name: [filled(port) for port in ports] for name, ports in published.items()} == {
        "api": [f"127.0.0.1:{default('api_port')}:{default('api_port')}"],
        "temporal-ui": [f"127.0.0.1:{default('temporal_ui_port')}:8080"],
        "mailpit": ["127.0.0.1:8025:8025"],
    }
    assert str(default("api_port")) in dockerfile()[1].all("EXPOSE")[0].words()


def test_the_databases_are_reached_from_inside_alone() -> None:
    assert compose()["networks"] == {"inside": {"internal": True}, "outside": {}}
    for name, service in services().items():
        assert set(service["networks"]) <= set(compose()["networks"]), name
    assert [services()[name]["networks"] for name in ("postgres", "temporal", "temporal-schema")] == [["inside"]] * 3
    assert all(services()[name]["networks"] == ["inside", "outside"] for name in OURS)


def test_health_checks_ask_what_is_there() -> None:
    ready = f"http://127.0.0.1:{default('api_port')}/v1/health/ready"
    assert services()["api"]["healthcheck"]["test"] == ["CMD", "python", "probe.py", ready]
    assert "/v1/health/ready" in {route.path for route in health.router.routes}
    for name in LONG_RUNNING:
        check = services()[name]["healthcheck"]
        assert check["test"][0] == "CMD", name
        assert seconds(check["timeout"]) <= seconds(check["interval"]), name
        if name.startswith("worker-"):
            assert check["test"][1:] == ["python", "probe.py", f"http://127.0.0.1:{default('worker_port')}/ready"]


def test_the_order_of_starting_can_be_kept() -> None:
    for name, service in services().items():
        for target, how in service.get("depends_on", {}).items():
            other = services()[target]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in other, (name, target)
            else:
                assert how["condition"] == "service_completed_successfully", (name, target)
                assert other["restart"] == "no", (name, target)
            assert "profiles" not in other, (name, target)
    waits = {name: set(service.get("depends_on", {})) for name, service in services(profiles=False).items()}
    assert waits["temporal"] == {"temporal-schema"}
    assert waits["setup"] == {"postgres", "temporal"}
    assert all(waits[name] == {"setup"} for name in LONG_RUNNING if services()[name]["image"] == OWN_IMAGE)


def test_images_are_pinned_and_ours_is_built_once() -> None:
    others = {service["image"] for service in services().values()} - {OWN_IMAGE}
    assert all(re.fullmatch(r"[a-z/-]+:v?\d+\.\d+[\w.-]*", image) for image in others), others
    assert [name for name, service in services().items() if "build" in service] == ["setup"]
    assert all(service["pull_policy"] == "never" for service in services(ours=True).values())
    server = services()["temporal"]["image"].partition(":")[2]
    assert services()["temporal-schema"]["image"].partition(":")[2].startswith(f"{server}-")


@pytest.mark.parametrize("name", list(services()))
def test_nobody_has_more_rights_than_needed(name: str) -> None:
    service = services()[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "pid", "network_mode"} & service.keys()
    if service["image"] == OWN_IMAGE:
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_secrets_are_files_that_the_script_makes(tmp_path: Path) -> None:
    declared = compose()["secrets"]
    made = {path.name for path in made_secrets(tmp_path / "secrets").iterdir() if path.is_file()}
    assert declared == {name: {"file": f"./secrets/{name}"} for name in made}
    for name, service in services().items():
        given = set(service.get("secrets", []))
        assert given <= set(declared), name
        texts = [str(value) for value in (*service.get("environment", {}).values(), *service.get("entrypoint", []))]
        assert set(re.findall(r"/run/secrets/(\w+)", " ".join(texts))) <= given, name


def test_no_secret_stands_in_the_file() -> None:
    for name, service in services().items():
        for variable in service.get("environment", {}):
            if re.search(r"PASSWORD|PWD|TOKEN|SECRET|_KEY", variable):
                assert variable.endswith(("_FILE", "_DIR")), (name, variable)
    assert not re.search(r"://\w+:\w+@", TEXT)


def test_it_does_not_start_without_an_address() -> None:
    assert len(re.findall(r"\$\{SOJOURN_PUBLIC_URL:\?", TEXT)) == TEXT.count("SOJOURN_PUBLIC_URL: ")


def test_volumes_and_mounted_files_are_there() -> None:
    used: set[str] = set()
    for service in services().values():
        for volume in service.get("volumes", []):
            source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
            if source.startswith("./"):
                assert source == "./secrets/named" or (CHECKOUT / source).is_file(), source
            else:
                used.add(source)
    assert used == set(compose()["volumes"])
    # Since version 18 the image keeps its data one folder higher, and refuses a volume where it used to be.
    assert "postgres:/var/lib/postgresql" in services()["postgres"]["volumes"]


def test_containers_have_the_time_that_processes_take_to_end() -> None:
    for name, service in services(ours=True, profiles=False).items():
        if name.startswith("worker-"):
            assert seconds(service["stop_grace_period"]) > worker.END_LIMIT + 2
    assert seconds(services()["api"]["stop_grace_period"]) > app.SHUTDOWN_SECONDS + 2


def test_postgresql_takes_all_connections() -> None:
    pool = inspect.signature(Database.connect).parameters["max_size"].default
    ours = sum(pool + 2 for name in LONG_RUNNING if services()[name]["image"] == OWN_IMAGE)
    (limit,) = re.findall(r"max_connections=(\d+)", " ".join(services()["postgres"]["command"]))
    temporal, reserved = 160, 10
    assert max(pool, app.CONNECTIONS) == pool
    assert ours + temporal + reserved <= int(limit)


def test_what_runs_for_long_has_limits() -> None:
    for name in LONG_RUNNING:
        service = services()[name]
        assert re.fullmatch(r"\d+[mg]", service["deploy"]["resources"]["limits"]["memory"]), name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name
        assert service["init"] is True, name


def test_temporal_keeps_to_what_is_set_up() -> None:
    given = services()["temporal"]["environment"]
    schema = services()["temporal-schema"]["environment"]
    assert (given["POSTGRES_SEEDS"], given["POSTGRES_USER"]) == (schema["SQL_HOST"], schema["SQL_USER"])
    roles = (CHECKOUT / "deploy" / "postgres-roles.sh").read_text()
    assert f"role {given['POSTGRES_USER']} temporal_password {given['DBNAME']} {given['VISIBILITY_DBNAME']}" in roles
    assert f"{given['DBNAME']}:temporal {given['VISIBILITY_DBNAME']}:visibility" in (
        (CHECKOUT / "deploy" / "temporal-schema.sh").read_text()
    )
    assert services()["temporal-ui"]["environment"]["TEMPORAL_DEFAULT_NAMESPACE"] == default("temporal_namespace")
    assert "RETENTION" not in TEXT
