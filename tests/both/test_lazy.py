"""ops/lazy.py: a module that is forgotten is loaded again, and nothing keeps the old one."""

import sys

from ops.lazy import forget


def test_the_next_import_loads_the_module_again():
    from ops import boot_number

    boot_number.mark = 1
    forget("ops.boot_number")
    assert "ops.boot_number" not in sys.modules
    assert not hasattr(sys.modules["ops"], "boot_number")  # else it would stay in the heap
    from ops import boot_number as again

    assert not hasattr(again, "mark")


def test_names_that_are_not_loaded_are_ignored():
    forget("ops.no_such_module", "no_such_package.module", "ops.no_such_module")
