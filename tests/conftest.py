"""Paths, the `micropython` stand-in, --soak, and fixtures that every part shares."""

from pathlib import Path

import pytest

from host_tools.toolchain import on_cpython

on_cpython.install()

REPOSITORY = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the tests that take minutes, too")
    parser.addoption("--update-sizes", action="store_true", help="accept the firmware's sizes")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--soak"):
        return
    skip = pytest.mark.skip(reason="takes minutes: run with --soak")
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, which is no part of the repository."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder
