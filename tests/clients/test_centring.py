# SPDX-License-Identifier: Apache-2.0
"""Vectors far from zero under Euclid's and Manhattan's distance: the answers of vectors near it."""
import numpy as np
import pytest

from rest import ask, wait_until_green

DIM = 16
COUNT = 5000
SPREAD = 4


def fill(server, vectors, distance="Euclid", **params):
    ask("PUT", f"{server.url}/collections/c", {
        "vectors": {"size": DIM, "distance": distance, **params}, "optimizers_config": {"indexing_threshold": 10},
        "hnsw_config": {"full_scan_threshold": 10}})
    for first in range(0, len(vectors), 500):
        ask("PUT", f"{server.url}/collections/c/points?wait=true", {"points": [
            {"id": i, "vector": vectors[i].tolist(), "payload": {"n": i % 4}}
            for i in range(first, min(first + 500, len(vectors)))]})
    wait_until_green(server, "c")


def search(server, queries, condition=None, **params):
    answers = ask("POST", f"{server.url}/collections/c/points/query/batch", {"searches": [
        {"query": query.tolist(), "limit": 10, "filter": condition, "params": params} for query in queries]})
    return [{point["id"]: point["score"] for point in one["points"]} for one in answers]


def recall(found, distances):
    nearest = np.sort(distances, axis=1)[:, 9]
    return np.mean([distances[query][i] <= nearest[query] * 1.00001
                    for query, one in enumerate(found) for i in one])


def centre_from_zero(server):
    return ask("GET", f"{server.url}/vexfs/collections/c")["vectors"][""]["centre_from_zero"]


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("distance, datatype, far", [
    ("Euclid", "float32", 0), ("Euclid", "float32", 4000), ("Euclid", "float16", 80), ("Euclid", "uint8", 200),
    ("Manhattan", "float32", 4000), ("Manhattan", "uint8", 200)])
def test_vectors_far_from_zero_are_found_as_those_near_it(server, seed, distance, datatype, far, on_disk):
    random = np.random.default_rng(seed)
    vectors, queries = (far + SPREAD * random.normal(size=(count, DIM)) for count in (COUNT, 40))
    # As they are stored.
    kind = {"float32": "f4", "float16": "f2", "uint8": "u1"}[datatype]
    vectors, queries = vectors.astype(kind).astype("f4"), queries.astype(kind).astype("f4")
    order = 2 if distance == "Euclid" else 1
    distances = np.linalg.norm(queries[:, None].astype("f8") - vectors[None], ord=order, axis=2)
    fill(server, vectors, distance, datatype=datatype, on_disk=on_disk, quantization_config={"scalar": {"type": "int8"}})

    def check():
        centre = centre_from_zero(server)
        assert centre is None if far == 0 else abs(centre - far * DIM ** 0.5) < SPREAD * DIM ** 0.5, centre
        assert recall(search(server, queries), distances) >= 0.9
        exact = search(server, queries, exact=True)
        assert recall(exact, distances) == 1
        # Scores are those of the originals, or as near as codes of vectors around the centre are.
        by_codes = search(server, queries, quantization={"rescore": False})
        assert recall(by_codes, distances) >= 0.75
        for found, error in ((exact, 1e-4), (by_codes, 0.05)):
            assert all(abs(score - distances[query][i]) <= error * SPREAD * DIM ** (1 / order)
                       for query, one in enumerate(found) for i, score in one.items())
        quarter = {"must": [{"key": "n", "match": {"value": 1}}]}
        passing = np.where(np.arange(COUNT) % 4 == 1, distances, np.inf)
        assert recall(search(server, queries, quarter), passing) >= 0.9
        return exact

    first = check()
    server.restart()
    wait_until_green(server, "c")
    assert check() == first


def test_queries_of_several_vectors_are_where_the_vectors_are(server, seed):
    random = np.random.default_rng(seed)
    vectors = (1000 + random.normal(size=(COUNT, DIM))).astype("f4")
    fill(server, vectors)
    assert centre_from_zero(server) is not None
    examples = random.permutation(COUNT)[:160].reshape(40, 4)  # the last of each is disliked
    answers = ask("POST", f"{server.url}/collections/c/points/query/batch", {"searches": [
        {"limit": 10, "query": {"recommend": {"positive": four[:3].tolist(), "negative": four[3:].tolist(),
                                              "strategy": "average_vector"}}} for four in examples]})
    found = [{point["id"]: point["score"] for point in one["points"]} for one in answers]
    targets = 2 * vectors[examples[:, :3]].mean(axis=1, dtype="f8") - vectors[examples[:, 3]]
    distances = np.linalg.norm(targets[:, None] - vectors[None], axis=2)
    np.put_along_axis(distances, examples, np.inf, axis=1)
    assert recall(found, distances) >= 0.9
    assert all(abs(score - distances[query][i]) < 0.01 for query, one in enumerate(found) for i, score in one.items())

    moved = (vectors[:100] + 1).round(3)
    ask("PUT", f"{server.url}/collections/c/points/vectors?wait=true",
        {"points": [{"id": i, "vector": moved[i].tolist()} for i in range(100)]})
    vectors[:100] = moved
    distances = np.linalg.norm(moved[:40, None].astype("f8") - vectors[None], axis=2)
    assert recall(search(server, moved[:40]), distances) >= 0.9
    answers = search(server, moved[:40], exact=True)
    assert recall(answers, distances) == 1
    assert [min(one, key=one.get) for one in answers] == list(range(40))
