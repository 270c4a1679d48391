"""Paths, the `micropython` stand-in, --soak, and fixtures that every part shares."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from host_tools.cli.threads import one_core
from host_tools.toolchain import on_cpython

one_core()  # pytest itself was not started by `beckon`
on_cpython.install()

# An example may take as long as it must: the computer may be busy with something else
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

REPOSITORY = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the tests that take minutes, too")
    parser.addoption("--update-sizes", action="store_true", help="accept the firmware's sizes")
    parser.addoption("--update-pictures", action="store_true",
                     help="make the screenshots in docs/ again")


# A worker that takes one of these last would still work when the others have ended.
_LONG = ("test_simulate", "test_deploy", "test_training_model", "test_sensor_sampling",
         "test_link_board", "test_bootstrap", "test_record_board", "test_link_verbs",
         "test_sensor_check", "test_studio_label_page", "test_studio_frame", "test_doctor",
         "test_studio_train", "test_collect", "test_store", "test_evaluation_compare")


def pytest_collection_modifyitems(config, items):
    place = {name: i for i, name in enumerate(_LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(_LONG)))
    if config.getoption("--soak"):
        return
    skip = pytest.mark.skip(reason="takes minutes: run with --soak")
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_yours(tmp_path_factory):
    """What `beckon setup` wrote for you must not decide a test."""
    folder = tmp_path_factory.mktemp("home") / "config"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        for name in ("BECKON_MQTT_USER", "BECKON_MQTT_PASSWORD"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, which is not part of the repository."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def micropython_32() -> list[str]:
    """The command of a MicroPython with 32-bit objects; skips where there is none."""
    from host_tools.errors import BeckonError
    from host_tools.toolchain.interpreter_32 import micropython_32_command

    try:
        return micropython_32_command()
    except BeckonError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, one for all tests of a file; skips where there is none, and
    fails where there is one that does not start.

    No longer than that: while it is there, Playwright runs an event loop in this thread,
    and no other test could run one.
    """
    from host_tools.errors import BeckonError
    from host_tools.testing.browser import chromium
    from host_tools.toolchain.browser import browser_command

    pytest.importorskip("nicegui", reason="the extra studio is not installed")
    try:
        browser_command()
    except BeckonError as error:
        pytest.skip(f"no browser: {error}")
    with chromium() as found:
        yield found


@pytest.fixture
def studio_tab(browser, tmp_path):
    """open(folder, path, **options of driver.open_tab): a fresh Studio and a tab on it.

    At the end the page must not have complained, nor asked anybody else for anything.
    """
    from contextlib import ExitStack

    from host_tools.testing.browser import open_tab
    from tests.forked_studio import ForkedStudio

    tabs = []
    with ExitStack() as stack:
        def open_studio(folder, path="/", *options, **kwargs):
            studio = stack.enter_context(ForkedStudio(folder, *options))
            tab = stack.enter_context(open_tab(browser, studio, **kwargs))
            tabs.append(tab)
            tab.go(path)
            return tab

        yield open_studio
        for tab in tabs:
            assert tab.strangers() == []
            assert tab.faults == []


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL for all tests of a process; None where it is not installed."""
    from tests.stores import a_postgres

    server = a_postgres(None)
    if server is None:
        yield None
        return
    with server:
        yield server
