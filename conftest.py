"""What the notebooks' runs under nbval need, beside the tests' own conftest.

A notebook's kernel inherits this process's environment: notebooks run at the smoke
preset, and in solutions/ a wrong or missing answer is an error.
"""

import os

import pytest

NOTEBOOK_ENVIRONMENT = {"T2I_PRESET": "smoke", "T2I_LIVE": "1"}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before a notebook's first cell (its kernel starts then) sets the environment."""
    if item.path.suffix == ".ipynb":
        strict = "1" if item.path.parent.name == "solutions" else "0"
        os.environ.update(NOTEBOOK_ENVIRONMENT, T2I_STRICT=strict)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """After a notebook's last cell takes the environment back."""
    last = nextitem is None or nextitem.path != item.path
    if item.path.suffix == ".ipynb" and last:
        for name in [*NOTEBOOK_ENVIRONMENT, "T2I_STRICT"]:
            os.environ.pop(name, None)
