"""What `docker-compose.yml` says, anchors and merge keys resolved, and the environment that its containers see."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from settings import CHECKOUT, SECRETS_DIR
from tests.support.image import dockerfile

TEXT = (CHECKOUT / "docker-compose.yml").read_text()
OWN_IMAGE = "sojourn:local"
PUBLIC_URL = "https://mail.example.com"


@functools.cache
def compose() -> dict[str, Any]:
    """The whole file."""
    found: dict[str, Any] = yaml.safe_load(TEXT)
    return found


def services(*, ours: bool = False, profiles: bool = True) -> dict[str, dict[str, Any]]:
    """The services by name; `ours` only those of our image, without `profiles` only those that `up` starts."""
    return {
        name: service
        for name, service in compose()["services"].items()
        if (not ours or service["image"] == OWN_IMAGE) and (profiles or "profiles" not in service)
    }


def filled(text: str) -> str:
    """A value with its variables replaced: the public URL, and the defaults of all others."""
    text = re.sub(r"\$\{SOJOURN_PUBLIC_URL[^}]*\}", PUBLIC_URL, text)
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def made_secrets(folder: Path) -> Path:
    """A folder of secrets as the script makes it."""
    script = [*("sh", str(CHECKOUT / "deploy" / "make-secrets.sh")), str(folder)]
    subprocess.run(script, check=True, capture_output=True)
    return folder


def environment(service: dict[str, Any], secrets: Path) -> dict[str, str]:
    """The variables that a container of ours starts with, its mounted secrets being in this folder instead."""
    found = dockerfile()[1].environment() | {name: filled(str(value)) for name, value in service["environment"].items()}
    found = {name: value.replace("/run/secrets", str(secrets)) for name, value in found.items()}
    found[SECRETS_DIR] = str(secrets / "named")
    return found | {"PATH": os.environ["PATH"]}
