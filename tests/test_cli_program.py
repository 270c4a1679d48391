"""Lines to be copied name the command as it is typed here."""

import shutil

import pytest

from host_tools.cli.program import program
from host_tools.paths import REPOSITORY


@pytest.mark.parametrize("here, on_path, typed", [
    (REPOSITORY, None, "./beckon"),
    (REPOSITORY, "/usr/bin/beckon", "beckon"),
    (REPOSITORY.parent, None, "beckon"),
])
def test_a_clone_has_it_in_its_folder(monkeypatch, here, on_path, typed):
    monkeypatch.chdir(here)
    monkeypatch.setattr(shutil, "which", lambda name: on_path)
    assert program() == typed
