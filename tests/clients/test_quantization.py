# SPDX-License-Identifier: Apache-2.0
"""What a search's `quantization` asks for, where the vector has one: scores by codes, or by originals."""
import itertools
import pathlib
import threading

import numpy as np
import pytest
import requests

from rest import ask, wait_until_green

DIM = 48
COUNT = 3000
SCALAR = {"scalar": {"type": "int8"}}


def fill(server, name, vectors, collection=None, **params):
    ask("PUT", f"{server.url}/collections/{name}", {
        "vectors": {"size": DIM, **params}, "optimizers_config": {"indexing_threshold": 10},
        "hnsw_config": {"full_scan_threshold": 10}, **(collection or {})})
    for first in range(0, len(vectors), 500):
        ask("PUT", f"{server.url}/collections/{name}/points?wait=true", {"points": [
            {"id": i, "vector": vectors[i].tolist()} for i in range(first, min(first + 500, len(vectors)))]})
    wait_until_green(server, name)


def search(server, name, queries, limit=10, hnsw_ef=None, **quantization):
    params = {"hnsw_ef": hnsw_ef, "quantization": quantization}
    answers = ask("POST", f"{server.url}/collections/{name}/points/query/batch", {"searches": [
        {"query": query.tolist(), "limit": limit, "params": params} for query in queries]})
    return [{point["id"]: point["score"] for point in one["points"]} for one in answers]


def true_scores(distance, queries, vectors):
    queries, vectors = queries.astype("f8"), vectors.astype("f8")
    if distance == "Cosine":
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    if distance == "Manhattan":
        return np.abs(queries[:, None] - vectors[None]).sum(axis=2)
    if distance == "Euclid":
        return np.sqrt(((queries[:, None] - vectors[None]) ** 2).sum(axis=2))
    return queries @ vectors.T


def make(seed, distance, datatype):
    random = np.random.default_rng(seed)
    centers = random.normal(size=(40, DIM))
    made = [centers[random.integers(40, size=count)] + 0.5 * random.normal(size=(count, DIM))
            for count in (COUNT, 30)]
    if datatype == "uint8":
        made = [np.clip(128 + 30 * one, 0, 255).astype("u1") for one in made]
    vectors, queries = (one.astype("f4") for one in made)
    return vectors, queries, true_scores(distance, queries, vectors)


def errors(found, true, power=1):
    return np.array([abs(score ** power - true[query][i] ** power)
                     for query, one in enumerate(found) for i, score in one.items()])


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("distance, datatype", [
    ("Cosine", "float32"), ("Dot", "float32"), ("Euclid", "float32"), ("Manhattan", "float32"),
    ("Cosine", "uint8"), ("Dot", "uint8"), ("Euclid", "uint8"), ("Euclid", "float16")])
def test_without_rescoring_scores_come_from_codes(server, seed, distance, datatype, on_disk):
    vectors, queries, true = make(seed, distance, datatype)
    fill(server, "c", vectors, distance=distance, datatype=datatype, on_disk=on_disk, quantization_config=SCALAR)
    is_distance = distance in ("Euclid", "Manhattan")
    best = np.argsort(true if is_distance else -true, axis=1)[:, :10].tolist()
    # Wide walks, that miss nothing: what is not found is the codes' loss.
    rescored, coded = (search(server, "c", queries, hnsw_ef=512, rescore=rescore) for rescore in (True, False))
    # What codes lose goes with the lengths of vectors, of Euclid's distance that is its square; of Manhattan's
    # with the largest elements.
    power = 2 if distance == "Euclid" else 1
    scale = 1 if distance == "Cosine" else (
        np.linalg.norm(queries, axis=1).max() * np.linalg.norm(vectors, axis=1).max())
    if distance == "Manhattan":
        scale = (np.abs(queries).max() + np.abs(vectors).max()) * DIM ** 0.5
    assert errors(rescored, true, power).max() <= 2e-3 * scale
    assert errors(coded, true, power).max() <= 0.02 * scale
    assert np.median(errors(coded, true)) > 3 * np.median(errors(rescored, true))
    for one in coded:
        scores = list(one.values())
        assert len(scores) == 10 and scores == sorted(scores, reverse=not is_distance)
    assert sum(len(set(one) & set(true)) for one, true in zip(coded, best)) >= 0.6 * 10 * len(queries)
    # By default, and where both are asked for, originals decide.
    assert search(server, "c", queries, hnsw_ef=512) == rescored
    assert errors(search(server, "c", queries, rescore=False, ignore=True), true, power).max() <= 2e-3 * scale


@pytest.mark.parametrize("quantized", ["vector", "collection", "neither"])
def test_params_have_an_effect_only_where_the_vector_has_a_quantization(server, seed, quantized):
    vectors, queries, true = make(seed, "Dot", "float32")
    fill(server, "c", vectors, {"quantization_config": SCALAR} if quantized == "collection" else None,
         distance="Dot", **({"quantization_config": SCALAR} if quantized == "vector" else {}))
    worst = errors(search(server, "c", queries, rescore=False), true).max()
    # Floats are off by a millionth, codes by a hundredth.
    assert (worst > 1e-4 * np.abs(true).max()) == (quantized != "neither")


def test_ignoring_codes_ranks_all_that_a_walk_has_kept(server, seed):
    # Near each other on two sides of zero, far from it: few of the best are the best by codes, and the best by
    # originals lie far behind in what a walk keeps. The farther the fewer; so many queries that chance does not matter.
    random = np.random.default_rng(seed)
    vectors, queries = ((16 * random.choice([-1, 1], size=(count, 1)) + random.normal(size=(count, DIM))).astype("f4")
                        for count in (COUNT, 100))
    best = np.argsort(true_scores("Euclid", queries, vectors), axis=1)[:, :10].tolist()
    fill(server, "c", vectors, distance="Euclid", quantization_config=SCALAR)

    def recall(**quantization):
        found = search(server, "c", queries, hnsw_ef=500, **quantization)
        return sum(len(set(one) & set(true)) for one, true in zip(found, best)) / (10 * len(queries))

    coded, rescored, ignored = recall(rescore=False), recall(), recall(ignore=True)
    assert coded < rescored - 0.1 and rescored < ignored - 0.02 and ignored > 0.97, (coded, rescored, ignored)


def test_points_that_change_during_a_search_by_codes_are_answered_once(server, seed):
    vectors, queries, _ = make(seed, "Dot", "float32")
    fill(server, "c", vectors, distance="Dot", quantization_config=SCALAR)
    ids = sorted(set().union(*search(server, "c", queries, rescore=False)))
    ended = threading.Event()

    def change():
        for number in itertools.count():
            if ended.is_set():
                break
            ask("POST", f"{server.url}/collections/c/points/payload", {"payload": {"a": number}, "points": ids})

    changing = [threading.Thread(target=change) for _ in range(3)]
    for thread in changing:
        thread.start()
    try:
        body = {"searches": [{"query": query.tolist(), "limit": 10, "params": {"quantization": {"rescore": False}}}
                             for query in queries]}
        for _ in range(100):
            for one in ask("POST", f"{server.url}/collections/c/points/query/batch", body):
                found = [point["id"] for point in one["points"]]
                assert len(found) == 10 and len(set(found)) == 10, found
    finally:
        ended.set()
        for thread in changing:
            thread.join()


def test_without_rescoring_no_original_is_read_from_the_disk(server, seed):
    vectors, queries, true = make(seed, "Cosine", "float32")
    fill(server, "c", vectors, distance="Cosine", on_disk=True, quantization_config=SCALAR)
    rows = list(pathlib.Path(server.folder).rglob("rows/*"))
    assert rows
    for one in rows:
        size = one.stat().st_size
        with one.open("r+b") as file:
            file.write(b"\xff" * size)
    coded = search(server, "c", queries, rescore=False)
    assert errors(coded, true).max() <= 0.02
    for quantization in ({}, {"rescore": True}, {"rescore": False, "ignore": True}):
        answer = requests.post(f"{server.url}/collections/c/points/query", json={
            "query": queries[0].tolist(), "params": {"quantization": quantization}}, timeout=60)
        assert answer.status_code == 500, answer.text
