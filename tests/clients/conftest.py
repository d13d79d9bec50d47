# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import Server  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--operations", type=int, default=6000, help="random operations of the differential test")
    parser.addoption("--seed", type=int, default=int(os.environ.get("VEXFS_TEST_SEED", "1")))


@pytest.fixture
def server():
    """A fresh server; whatever a test leaves of it is ended and removed."""
    one = Server().start()
    yield one
    if one.process.poll() is None:
        one.kill()
    shutil.rmtree(one.folder, ignore_errors=True)


@pytest.fixture
def seed(request):
    chosen = request.config.getoption("--seed")
    print(f"seed {chosen}: repeat with --seed {chosen}")
    return chosen
