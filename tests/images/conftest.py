"""What an image would hold, laid out in a folder, and servers for it to run on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from settings import CHECKOUT
from stack.services import Services, postgres_and_temporal, temporary_data_dir
from tests.images.containers import Image
from tests.support.image import build
from tests.support.locked import refused_modules

REFUSING = """
import os, sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in NAMES:
            raise ModuleNotFoundError(f"production has no {name}", name=name)

NAMES = frozenset(os.environ["REFUSED"].split(","))
sys.meta_path.insert(0, Refusing())
"""


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """The files of the image, and an interpreter that finds nothing else: neither the checkout nor what only it installs."""
    with temporary_data_dir() as folder:
        app, hook = folder / "app", folder / "hook"
        app.mkdir()
        hook.mkdir()
        build(app)
        (hook / "sitecustomize.py").write_text(REFUSING)
        ours = {path.stem for path in CHECKOUT.glob("*.py")} | {
            path.parent.name for path in CHECKOUT.glob("*/__init__.py")
        }
        there = {path.stem if path.suffix == ".py" else path.name for path in app.iterdir()}
        refused = refused_modules() | (ours - there)
        yield Image(app, {"PYTHONPATH": f"{hook}{os.pathsep}{app}", "REFUSED": ",".join(sorted(refused))})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers() -> AsyncIterator[Services]:
    """PostgreSQL and Temporal, not set up for the product."""
    async with postgres_and_temporal() as made:
        yield made
