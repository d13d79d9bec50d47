# SPDX-License-Identifier: Apache-2.0
"""Originals on the disk: the answers of a collection in memory, with less of it."""
import json
import pathlib
import shutil

import numpy as np
import pytest
import requests
from qdrant_client import QdrantClient, models

from server import Server

DIM = 384
COUNT = 16000


def anonymous_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:"))


def fill(server, name, bodies, **vectors):
    created = requests.put(f"{server.url}/collections/{name}", json={
        "vectors": {"size": DIM, "distance": "Cosine", **vectors},
        "optimizers_config": {"indexing_threshold": 1000}, "hnsw_config": {"full_scan_threshold": 10}})
    assert created.status_code == 200, created.text
    for body in bodies:
        stored = requests.put(f"{server.url}/collections/{name}/points?wait=true", data=body)
        assert stored.status_code == 200, stored.text
    return anonymous_bytes(server)


@pytest.fixture
def other():
    one = Server().start()
    yield one
    one.stop()
    shutil.rmtree(one.folder, ignore_errors=True)


def test_a_collection_on_the_disk_answers_as_one_in_memory_and_takes_less_of_it(server, other, seed):
    random = np.random.default_rng(seed)
    centers = random.normal(size=(100, DIM))
    vectors = (centers[random.integers(100, size=COUNT)] + 0.7 * random.normal(size=(COUNT, DIM))).round(3)
    bodies = [json.dumps({"points": [{"id": i, "vector": vectors[i].tolist(), "payload": {"n": i % 10}}
                                     for i in range(first, first + 500)]})
              for first in range(0, COUNT, 500)]
    in_memory = fill(other, "memory", bodies)
    on_disk = fill(server, "disk", bodies, on_disk=True)
    # Other memory wanders by some megabytes.
    assert in_memory - on_disk > 0.5 * COUNT * DIM * 4, (in_memory, on_disk)
    fill(server, "memory", bodies)

    client = QdrantClient(url=server.url, check_compatibility=False, timeout=60)
    assert client.get_collection("disk").config.params.vectors.on_disk is True
    report = requests.get(f"{server.url}/vexfs/collections/disk").json()["result"]["vectors"][""]
    assert report["originals"] == "disk"

    some = models.Filter(must=[models.FieldCondition(key="n", range=models.Range(lt=3))])
    queries = (vectors[random.integers(COUNT, size=20)] + 0.3 * random.normal(size=(20, DIM))).tolist()

    def ask(**arguments):
        answers = []
        for name in ("disk", "memory"):
            found = client.query_batch_points(name, requests=[models.QueryRequest(query=query, limit=10, **arguments)
                                                              for query in queries])
            answers.append([[(point.id, point.score, point.vector) for point in one.points] for one in found])
        return answers

    for arguments in ({"params": models.SearchParams(exact=True)},
                      {"params": models.SearchParams(exact=True), "filter": some},
                      {"params": models.SearchParams(exact=True), "with_vector": True}):
        disk, memory = ask(**arguments)
        assert disk == memory
    # Two graphs are not the same, and find nearly the same.
    for arguments in ({}, {"filter": some}):
        disk, memory = ask(**arguments)
        common = sum(len({p[0] for p in one} & {p[0] for p in other}) for one, other in zip(disk, memory))
        assert common >= 0.95 * 10 * len(queries)
    ids = random.integers(COUNT, size=300).tolist()
    assert (client.retrieve("disk", ids, with_vectors=True) == client.retrieve("memory", ids, with_vectors=True))
    liked = models.RecommendQuery(recommend=models.RecommendInput(positive=ids[:3], negative=ids[3:5],
                                                                  strategy=models.RecommendStrategy.BEST_SCORE))
    first, second = (client.query_points(name, query=liked, limit=10).points for name in ("disk", "memory"))
    assert first == second

    # The log has everything: what lay on the disk is made anew.
    server.restart()
    assert [file.stat().st_size > COUNT * DIM * 4 for file in pathlib.Path(server.folder).rglob("rows/*")] == [True]
    again = client.retrieve("disk", ids, with_vectors=True)
    assert again == client.retrieve("memory", ids, with_vectors=True)
    client.delete_collection("disk")
    assert list(pathlib.Path(server.folder).rglob("rows/*")) == []
