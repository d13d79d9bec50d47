# SPDX-License-Identifier: Apache-2.0
"""Many collections beside one another."""
import pathlib

import numpy as np
import requests

DIM = 128
COUNT = 200


def resident_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def make(server, names, points):
    session = requests.Session()
    for name in names:
        created = session.put(f"{server.url}/collections/{name}",
                              json={"vectors": {"size": DIM, "distance": "Euclid"}})
        assert created.status_code == 200, created.text
        if points:
            stored = session.put(f"{server.url}/collections/{name}/points", json={"points": points})
            assert stored.status_code == 200, stored.text


def test_a_collection_takes_the_memory_of_what_is_in_it(server, seed):
    vectors = np.random.default_rng(seed).normal(size=(10, DIM)).astype("f4")
    points = [{"id": i, "vector": vectors[i].tolist()} for i in range(10)]
    make(server, ["first"], points)
    before = resident_bytes(server)
    make(server, [f"empty-{i}" for i in range(COUNT)], [])
    empty = resident_bytes(server)
    make(server, [f"small-{i}" for i in range(COUNT)], points)
    small = resident_bytes(server)
    # 55 and 150 KiB each; tables for the most that a collection can have would be half a MiB, and
    # chunks whose every page is there another.
    assert empty - before < COUNT * 150 * 1024, (before, empty)
    assert small - empty < COUNT * 300 * 1024, (empty, small)
    for name in ("small-0", f"small-{COUNT - 1}"):
        answer = requests.post(f"{server.url}/collections/{name}/points/query",
                               json={"query": vectors[7].tolist(), "limit": 3})
        assert answer.json()["result"]["points"][0]["id"] == 7
