# SPDX-License-Identifier: Apache-2.0
import json
import os
import pathlib
import shutil
import sys

import numpy
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/clients"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import Server  # noqa: E402


@pytest.fixture
def seed():
    chosen = int(os.environ.get("VEXFS_TEST_SEED", "1"))
    print(f"seed {chosen}: repeat with VEXFS_TEST_SEED={chosen}")
    return chosen


@pytest.fixture(scope="session")
def server():
    one = Server().start()
    yield one
    one.kill()
    shutil.rmtree(one.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """The 600 points of tests/data in the formats of bench/scenarios: a folder."""
    folder = tmp_path_factory.mktemp("sample")
    with open(ROOT / "tests/data/points.jsonl") as lines:
        points = [json.loads(line) for line in lines]
    with open(ROOT / "tests/data/queries.jsonl") as lines:
        queries = [json.loads(line) for line in lines]
    for name, rows in (("base", points), ("queries", queries)):
        vectors = numpy.array([row["vector"] for row in rows], dtype="<f4")
        with open(folder / f"{name}.fbin", "wb") as file:
            file.write(numpy.array(vectors.shape, dtype="<u4").tobytes() + vectors.tobytes())
    with open(folder / "payload.jsonl", "w") as file:
        for point in points:
            file.write(json.dumps(point["payload"]) + "\n")
    return folder
