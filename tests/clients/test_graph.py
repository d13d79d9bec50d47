# SPDX-License-Identifier: Apache-2.0
"""What clients are told about graphs, and what their settings do."""
import time

import numpy as np
import requests

DIM = 32
COUNT = 3000


def fill(server, name, seed, **settings):
    vectors = np.random.default_rng(seed).normal(size=(COUNT, DIM)).astype("f4")
    created = requests.put(
        f"{server.url}/collections/{name}", json={"vectors": {"size": DIM, "distance": "Euclid"}, **settings})
    assert created.status_code == 200, created.text
    for first in range(0, COUNT, 500):
        points = [{"id": i, "vector": vectors[i].tolist()} for i in range(first, first + 500)]
        stored = requests.put(f"{server.url}/collections/{name}/points", json={"points": points})
        assert stored.status_code == 200, stored.text
    return vectors


def result(server, path):
    answer = requests.get(server.url + path)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def wait_until_green(server, name):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        info = result(server, f"/collections/{name}")
        running = result(server, f"/collections/{name}/optimizations?with=idle_segments")
        if info["status"] == "green":
            return info
        for one in running["running"]:
            assert one["optimizer"] == "indexing" and one["status"] == "optimizing"
            assert one["progress"]["done"] <= one["progress"]["total"] == COUNT
        time.sleep(0.01)
    raise AssertionError("linking does not end")


def test_a_collection_over_its_threshold_is_linked_and_says_so(server, seed):
    fill(server, "c", seed, optimizers_config={"indexing_threshold": 100},
         hnsw_config={"full_scan_threshold": 10})
    assert wait_until_green(server, "c")["indexed_vectors_count"] == COUNT
    optimizations = result(server, "/collections/c/optimizations?with=idle_segments")
    assert optimizations["running"] == [] and len(optimizations["idle_segments"]) == 1
    vector = result(server, "/vexfs/collections/c")["vectors"][""]
    assert vector["count"] == COUNT
    assert vector["original_bytes_per_vector"] == 4 * DIM and vector["originals"] == "memory"
    assert vector["codes"].startswith("int8")
    assert vector["graph"]["complete"] and vector["graph"]["linked"] == COUNT and vector["graph"]["tail"] == 0
    assert vector["graph"]["linked_per_second"] > 0
    assert 0.9 <= vector["graph"]["sampled_recall"] <= 1
    assert vector["device_bytes"] >= COUNT * vector["code_bytes_per_vector"]


def test_a_small_collection_is_scanned_and_says_so(server, seed):
    fill(server, "c", seed)
    info = wait_until_green(server, "c")
    assert info["indexed_vectors_count"] == 0
    assert result(server, "/vexfs/collections/c")["vectors"][""]["graph"] is None


def test_more_effort_finds_more_and_exact_finds_all(server, seed):
    vectors = fill(server, "c", seed, optimizers_config={"indexing_threshold": 100},
                   hnsw_config={"full_scan_threshold": 10, "m": 4, "ef_construct": 8})
    wait_until_green(server, "c")
    queries = np.random.default_rng(seed + 1).normal(size=(100, DIM)).astype("f4")
    distances = ((queries[:, None].astype("f8") - vectors[None]) ** 2).sum(axis=2)
    # Those that are as near as a float can tell are as good.
    enough = np.sort(distances, axis=1)[:, 9] * 1.000001

    def recall(params):
        searches = [{"query": q.tolist(), "limit": 10, "params": params} for q in queries]
        answer = requests.post(f"{server.url}/collections/c/points/query/batch", json={"searches": searches})
        assert answer.status_code == 200, answer.text
        found = [{point["id"] for point in one["points"]} for one in answer.json()["result"]]
        hits = sum((of_query[list(one)] <= most).sum() for one, of_query, most in zip(found, distances, enough))
        return hits / (10 * len(queries))

    little, usual, much = recall({"hnsw_ef": 16}), recall({"hnsw_ef": 64}), recall({"hnsw_ef": 1000})
    assert little < usual <= much
    assert much > 0.95
    assert recall({"exact": True}) == 1


def test_a_restart_links_again_and_answers_meanwhile(server, seed):
    vectors = fill(server, "c", seed, optimizers_config={"indexing_threshold": 100},
                   hnsw_config={"full_scan_threshold": 10})
    server.kill()
    server.start()
    answer = requests.post(f"{server.url}/collections/c/points/query",
                           json={"query": vectors[7].tolist(), "limit": 1})
    assert answer.json()["result"]["points"][0]["id"] == 7
    assert wait_until_green(server, "c")["indexed_vectors_count"] == COUNT
