# SPDX-License-Identifier: Apache-2.0
"""What users and accidents do to collections with graphs: nothing is lost, and answers stay the true ones."""
import random
import threading
import time

import numpy as np
import pytest
import requests

from rest import ask, wait_until_green
from server import Server

GRAPH = {"optimizers_config": {"indexing_threshold": 10}, "hnsw_config": {"full_scan_threshold": 10}}
SOME = {"must": [{"key": "n", "range": {"lt": 3}}]}


def create(server, name, dim, distance="Euclid", **hnsw):
    ask("PUT", f"{server.url}/collections/{name}",
        {"vectors": {"size": dim, "distance": distance}, **GRAPH, "hnsw_config": {"full_scan_threshold": 10, **hnsw}})


def put(server, name, ids, vectors):
    for first in range(0, len(ids), 500):
        ask("PUT", f"{server.url}/collections/{name}/points?wait=true", {"points": [
            {"id": int(i), "vector": vector.tolist(), "payload": {"n": int(i) % 10}}
            for i, vector in zip(ids[first:first + 500], vectors[first:first + 500])]})


def find(server, name, queries, **search):
    answers = ask("POST", f"{server.url}/collections/{name}/points/query/batch", {"searches": [
        {"query": query.tolist(), "limit": 10, **search} for query in queries]})
    return [[point["id"] for point in one["points"]] for one in answers]


def recall(found, queries, ids, vectors):
    """The part of the nearest by Euclid's distance that was found, where those that are as near as a float
    can tell are as good; fails where there are others than ids."""
    best, places = min(10, len(ids)), {int(i): place for place, i in enumerate(ids)}
    hits = 0
    for query, one in zip(queries.astype("f8"), found):
        assert len(set(one)) == len(one) == best and set(one) <= set(places)
        distances = ((vectors - query) ** 2).sum(axis=1)
        enough = np.partition(distances, best - 1)[best - 1] * 1.000001
        hits += (distances[[places[i] for i in one]] <= enough).sum()
    return hits / (best * len(queries))


class Clusters:
    def __init__(self, seed, dim):
        self.random = np.random.default_rng(seed)
        self.centers = self.random.normal(size=(60, dim))

    def make(self, count):
        return (self.centers[self.random.integers(60, size=count)]
                + 0.6 * self.random.normal(size=(count, self.centers.shape[1]))).astype("f4")


class Writer(threading.Thread):
    """Upserts and deletes its own ids until the server is gone. `states` has what may be of each: the
    last acknowledged, then those in flight; None is a point that is not there."""

    def __init__(self, server, number, life, seed):
        super().__init__()
        self.server, self.life = server, life
        self.random = random.Random(f"{seed}/{number}/{life}")
        self.ids = range(number * 1500, (number + 1) * 1500)
        self.states = {}
        self.acknowledged = 0  # requests

    def run(self):
        session = requests.Session()
        points = f"{self.server.url}/collections/c/points"
        for turn in range(self.life * 1_000_000, (self.life + 1) * 1_000_000):
            ids = self.random.sample(self.ids, 100)
            is_delete = self.random.random() < 0.25
            after = None if is_delete else turn
            for i in ids:
                self.states.setdefault(i, [None]).append(after)
            try:
                if is_delete:
                    answer = session.post(f"{points}/delete?wait=true", json={"points": ids}, timeout=60)
                else:
                    answer = session.put(f"{points}?wait=true", timeout=60, json={"points": [
                        {"id": i, "vector": vector_of(i, turn).tolist(), "payload": {"turn": turn}} for i in ids]})
            except requests.RequestException:
                return
            assert answer.status_code == 200, answer.text
            self.states.update((i, [after]) for i in ids)
            self.acknowledged += 1


def vector_of(point_id, turn):
    made = np.random.default_rng((point_id, turn))
    return (np.random.default_rng(point_id % 50).normal(size=32) + 0.5 * made.normal(size=32)).astype("f4")


def test_kill_9_while_points_are_linked_loses_nothing_acknowledged(server, seed):
    create(server, "c", 32)
    chosen = random.Random(seed)
    writers = [Writer(server, number, 0, seed) for number in range(3)]
    for life in range(1, 4):
        for writer in writers:
            writer.start()
        # Enough to be linked, on a slow machine too; then any moment.
        until = time.monotonic() + 60
        while min(writer.acknowledged for writer in writers) < 8:
            assert time.monotonic() < until, "the writers do not get on"
            time.sleep(0.01)
        time.sleep(chosen.uniform(0, 0.7))
        server.kill()
        for writer in writers:
            writer.join(60)
        server.start()
        stored = {point["id"]: point for point in ask("POST", f"{server.url}/collections/c/points/scroll", {
            "limit": 100_000, "with_payload": True, "with_vector": True})["points"]}
        known = {}
        for writer in writers:
            for point_id, states in writer.states.items():
                turn = stored[point_id]["payload"]["turn"] if point_id in stored else None
                assert turn in states, f"point {point_id} is of turn {turn}, not one of {states}"
                if turn is not None:
                    assert np.array_equal(np.array(stored[point_id]["vector"], "f4"), vector_of(point_id, turn))
                known[point_id] = [turn]
        assert set(stored) <= set(known)
        ids = sorted(stored)
        vectors = np.array([stored[i]["vector"] for i in ids])
        queries = vectors[np.random.default_rng(seed).integers(len(ids), size=50)] + 0.1
        assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95
        info = wait_until_green(server, "c")
        assert info["points_count"] == info["indexed_vectors_count"] == len(ids)
        assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95
        again = [Writer(server, number, life, seed) for number in range(3)]
        for one, before in zip(again, writers):
            one.states = {i: known[i] for i in before.states}
        writers = again


@pytest.mark.parametrize("environment", [
    {"QDRANT__SERVICE__MAX_WORKERS": "1"}, {"QDRANT__IO__TRANSPORT": "epoll"},
    {"QDRANT__SERVICE__MAX_WORKERS": "1", "QDRANT__IO__TRANSPORT": "epoll"}],
    ids=["one core", "epoll", "one core and epoll"])
def test_a_graph_lives_on_one_core_and_over_epoll(environment, seed):
    server = Server(environment=environment).start()
    try:
        made = Clusters(seed, 48)
        vectors, queries = made.make(4000), made.make(30)
        ids = np.arange(len(vectors))
        create(server, "c", 48)
        put(server, "c", ids, vectors)
        for _ in range(2):
            # While they are linked, and when they are.
            assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95
            some = ids[ids % 10 < 3]
            assert recall(find(server, "c", queries, filter=SOME), queries, some, vectors[some]) >= 0.95
            assert wait_until_green(server, "c")["indexed_vectors_count"] == len(vectors)
        gone = made.random.choice(len(vectors), 1500, replace=False)
        ask("POST", f"{server.url}/collections/c/points/delete?wait=true", {"points": gone.tolist()})
        left = np.setdiff1d(ids, gone)
        assert recall(find(server, "c", queries), queries, left, vectors[left]) >= 0.95
        vectors[gone] = made.make(len(gone))
        put(server, "c", gone, vectors[gone])
        assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95
        wait_until_green(server, "c")
        assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95
    finally:
        server.kill()


def test_vectors_that_few_points_have_come_and_go_beside_others(server, seed):
    made = np.random.default_rng(seed)
    count, sizes = 4000, {"all": 32, "half": 48, "rare": 64}
    ask("PUT", f"{server.url}/collections/c",
        {"vectors": {name: {"size": size, "distance": "Euclid"} for name, size in sizes.items()}, **GRAPH})
    vectors = {name: made.normal(size=(count, size)).astype("f4") for name, size in sizes.items()}
    has = {"all": np.ones(count, bool), "half": made.random(count) < 0.5, "rare": made.random(count) < 0.01}
    points = f"{server.url}/collections/c/points"

    def send(method, path, ids, names, payload=False):
        for first in range(0, len(ids), 500):
            ask(method, f"{points}{path}?wait=true", {"points": [
                {"id": int(i), "vector": {name: vectors[name][i].tolist() for name in names if has[name][i]},
                 **({"payload": {"n": int(i) % 10}} if payload else {})} for i in ids[first:first + 500]]})

    def check():
        for name, size in sizes.items():
            queries = made.normal(size=(20, size)).astype("f4")
            for search, passes in (({}, np.ones(count, bool)), ({"filter": SOME}, np.arange(count) % 10 < 3),
                                   ({"filter": {"must": [{"has_vector": "half"}]}}, has["half"])):
                ids = np.flatnonzero(has[name] & passes)
                found = find(server, "c", queries, using=name, **search)
                if len(ids) == 0:
                    assert not any(found)
                    continue
                # Evenly spread vectors are hard for a walk, and none of them may be lost.
                assert recall(found, queries, ids, vectors[name][ids]) >= 0.9
                exact = find(server, "c", queries, using=name, params={"exact": True}, **search)
                assert recall(exact, queries, ids, vectors[name][ids]) == 1

    def check_while_and_after():
        check()
        wait_until_green(server, "c")
        check()

    send("PUT", "", np.arange(count), sizes, payload=True)
    check_while_and_after()
    later = made.choice(count, 150, replace=False)
    has["rare"][later] = True
    send("PUT", "/vectors", later, ["rare"])
    check_while_and_after()
    gone = made.choice(np.flatnonzero(has["half"]), 800, replace=False)
    has["half"][gone] = False
    ask("POST", f"{points}/vectors/delete?wait=true", {"points": gone.tolist(), "vector": ["half"]})
    check()
    changed = made.choice(count, 800, replace=False)
    has["half"][changed] = True
    vectors["half"][changed] = made.normal(size=(len(changed), sizes["half"]))
    send("PUT", "/vectors", changed, ["half"])
    check_while_and_after()
    ask("POST", f"{points}/vectors/delete?wait=true",
        {"filter": {"must": [{"has_vector": "rare"}]}, "vector": ["rare"]})
    has["rare"][:] = False
    check()


def test_all_points_go_and_come_back_in_the_same_memory(server, seed):
    made = Clusters(seed, 48)
    count, ids = 3000, np.arange(3000)
    queries, failures, done = made.make(10), [], threading.Event()
    create(server, "c", 48)

    def search():
        while not done.is_set():
            for arguments in ({}, {"filter": SOME}):
                answer = requests.post(f"{server.url}/collections/c/points/query/batch", timeout=60, json={
                    "searches": [{"query": query.tolist(), "limit": 10, **arguments} for query in queries]})
                if answer.status_code != 200:
                    failures.append(answer.text)

    searcher = threading.Thread(target=search)
    searcher.start()
    bytes_at_first = None
    try:
        for selector in ({"points": ids.tolist()}, {"filter": {"must": [{"key": "n", "range": {"gte": 0}}]}}) * 2:
            vectors = made.make(count)
            put(server, "c", ids, vectors)
            assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95
            some = ids[ids % 10 < 3]
            assert recall(find(server, "c", queries, filter=SOME), queries, some, vectors[some]) >= 0.95
            device = ask("GET", f"{server.url}/vexfs/collections/c")["vectors"][""]
            bytes_at_first = bytes_at_first or device["device_bytes"]
            # Of what has gone while a search held it.
            assert device["device_bytes"] <= 2 * bytes_at_first
            ask("POST", f"{server.url}/collections/c/points/delete?wait=true", selector)
            assert not any(find(server, "c", queries))
            assert ask("GET", f"{server.url}/collections/c")["points_count"] == 0
    finally:
        done.set()
        searcher.join(60)
    assert not failures
    assert wait_until_green(server, "c")["indexed_vectors_count"] == 0


def test_settings_change_and_collections_go_while_points_are_loaded_and_linked(server, seed):
    made = Clusters(seed, 48)
    vectors, queries = made.make(4000), made.make(20)
    ids, done, chosen, failures = np.arange(4000), threading.Event(), random.Random(seed), []
    create(server, "c", 48)

    def change():
        settings = [{"hnsw_config": {"m": m}} for m in (0, 4, 16, 32)]
        settings += [{"hnsw_config": {"ef_construct": effort}} for effort in (4, 50, 200)]
        settings += [{"optimizers_config": {"indexing_threshold": kilobytes}} for kilobytes in (0, 10, 1_000_000)]
        while not done.wait(0.02):
            answer = requests.patch(f"{server.url}/collections/c", json=chosen.choice(settings), timeout=60)
            if answer.status_code != 200:
                failures.append(answer.text)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(2):
            put(server, "c", ids, vectors)
            assert recall(find(server, "c", queries, params={"exact": True}), queries, ids, vectors) == 1
    finally:
        done.set()
        changer.join(60)
    ask("PATCH", f"{server.url}/collections/c", {**GRAPH, "hnsw_config": {"m": 16, "ef_construct": 100}})
    assert wait_until_green(server, "c")["indexed_vectors_count"] == len(ids)
    assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95

    def load(stop):
        session = requests.Session()
        while not stop.is_set():
            answer = session.put(f"{server.url}/collections/gone/points", timeout=60, json={
                "points": [{"id": int(i), "vector": vectors[i].tolist()} for i in ids[:500]]})
            if answer.status_code not in (200, 404):
                failures.append(answer.text)

    for _ in range(5):
        create(server, "gone", 48)
        stop = threading.Event()
        loaders = [threading.Thread(target=load, args=(stop,)) for _ in range(2)]
        for loader in loaders:
            loader.start()
        time.sleep(chosen.uniform(0.05, 0.3))
        ask("DELETE", f"{server.url}/collections/gone")
        stop.set()
        for loader in loaders:
            loader.join(60)
        assert requests.get(f"{server.url}/collections/gone").status_code == 404
    assert not failures
    assert recall(find(server, "c", queries), queries, ids, vectors) >= 0.95


@pytest.mark.parametrize("dim, count, m, ef_construct", [
    (1, 3000, 4, 4), (63, 1500, 64, 4), (65, 1500, 16, 512), (321, 1000, 64, 512), (1536, 400, 16, 100),
    (4096, 200, 16, 512), (65536, 30, 16, 100)])
def test_a_graph_of_any_dimension_finds_what_is_near(server, seed, dim, count, m, ef_construct):
    made = Clusters(seed, dim)
    vectors, queries = made.make(count), made.make(10)
    create(server, "c", dim, m=m, ef_construct=ef_construct)
    for first in range(0, count, max(1, 500_000 // dim)):
        last = min(count, first + max(1, 500_000 // dim))
        put(server, "c", np.arange(first, last), vectors[first:last])
    assert wait_until_green(server, "c")["indexed_vectors_count"] == count
    report = ask("GET", f"{server.url}/vexfs/collections/c")["vectors"][""]
    assert report["graph"]["linked"] == count
    assert recall(find(server, "c", queries), queries, np.arange(count), vectors) >= 0.95


def values_of(kind, made, dim):
    spread = made.normal(size=(2000, dim)).astype("f4")
    if kind == "all equal":
        return np.tile(spread[:1], (5000, 1))
    if kind == "zeros":
        return np.zeros((2000, dim), "f4")
    if kind == "one huge":
        spread[700] *= 1e30
    elif kind == "denormal":
        spread *= np.float32(1e-40)
    elif kind == "tiny":
        spread *= np.float32(1e-15)
    elif kind == "large":
        spread *= np.float32(1e15)
    return spread


@pytest.mark.parametrize("kind, distance", [
    *((kind, "Euclid") for kind in ("all equal", "zeros", "one huge", "denormal", "tiny", "large")),
    *((kind, "Dot") for kind in ("all equal", "zeros", "one huge", "denormal")),
    *((kind, "Cosine") for kind in ("all equal", "one huge", "large")),
    ("one huge", "Manhattan"), ("all equal", "Manhattan")])
def test_odd_values_and_arguments_are_answered_as_by_an_exact_search(server, seed, kind, distance):
    made = np.random.default_rng(seed)
    vectors = values_of(kind, made, 24)
    count, is_distance = len(vectors), distance in ("Euclid", "Manhattan")
    queries = made.normal(size=(10, 24)).astype("f4")
    if kind in ("denormal", "tiny", "large"):
        queries *= np.abs(vectors).max()
    create(server, "c", 24, distance)
    put(server, "c", np.arange(count), vectors)

    def scores(**search):
        answers = ask("POST", f"{server.url}/collections/c/points/query/batch", {
            "searches": [{"query": query.tolist(), "limit": 10, **search} for query in queries]})
        for one in answers:
            assert len({point["id"] for point in one["points"]}) == len(one["points"])
        return [[point["score"] for point in one["points"]] for one in answers]

    def as_good(score, last):
        return score == pytest.approx(last, rel=1e-4) or (score < last if is_distance else score > last)

    def check():
        for some in ({}, {"filter": SOME}):
            # Of points that are as good, any may be answered.
            exact = scores(params={"exact": True}, **some)
            for params in ({}, {"hnsw_ef": 1}, {"hnsw_ef": 100_000}, {"indexed_only": True}):
                found = scores(params=params, **some)
                assert [len(one) for one in found] == [10] * len(queries)
                hits = sum(as_good(score, one[-1]) for one, other in zip(exact, found) for score in other)
                if params not in ({"hnsw_ef": 1}, {"indexed_only": True}):
                    assert hits >= 0.9 * 10 * len(queries), (params, some)
        assert [len(one) for one in scores(limit=count + 1000)] == [count] * len(queries)
        assert [len(one) for one in scores(offset=count - 3)] == [3] * len(queries)
        assert [len(one) for one in scores(offset=count + 3)] == [0] * len(queries)
        is_better = lambda score: score < threshold if is_distance else score > threshold
        best = scores(params={"exact": True})[0]
        threshold = best[4]
        better = scores(params={"exact": True}, score_threshold=threshold)[0]
        assert better == [score for score in best if is_better(score)]
        # Two walks may find others while points are linked.
        some_better = scores(score_threshold=threshold)[0]
        assert all(map(is_better, some_better)) and bool(some_better) == bool(better)

    check()
    wait_until_green(server, "c")
    check()


@pytest.mark.parametrize("distance", ["Cosine", "Euclid"])
def test_neighbours_that_codes_hardly_tell_apart_are_found(server, seed, distance):
    """The 200 vectors of a cluster differ by a 67th of what lies between clusters, which is less than
    a code's step: a walk that keeps 64 keeps any of them."""
    clusters = Clusters(seed, 32)
    def make(count):
        return (20 * clusters.centers[clusters.random.integers(30, size=count)]
                + 0.3 * clusters.random.normal(size=(count, 32))).astype("f4")
    vectors, queries = make(6000), make(100)
    create(server, "c", 32, distance)
    put(server, "c", np.arange(6000), vectors)
    wait_until_green(server, "c")
    rows, near = vectors.astype("f8"), queries.astype("f8")
    if distance == "Cosine":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        near /= np.linalg.norm(near, axis=1, keepdims=True)
    true = np.argsort(-(near @ rows.T - (rows ** 2).sum(axis=1) / 2), axis=1)[:, :10].tolist()
    for params in ({}, {"hnsw_ef": 16}, {"hnsw_ef": 64}, {"indexed_only": True}):
        found = find(server, "c", queries, params=params)
        hits = sum(len(set(one) & set(best)) for one, best in zip(found, true))
        assert hits >= 0.9 * 10 * len(queries), params


@pytest.mark.parametrize("distance", ["Dot", "Euclid"])
@pytest.mark.parametrize("huge_count", [1, 10])
def test_a_few_huge_vectors_cost_the_others_nothing(server, seed, distance, huge_count):
    clusters = Clusters(seed, 64)
    vectors, queries = clusters.make(4000), clusters.make(100)
    vectors[clusters.random.choice(4000, huge_count, replace=False)] *= np.float32(1e15)
    create(server, "c", 64, distance)
    put(server, "c", np.arange(4000), vectors)
    wait_until_green(server, "c")
    near = queries.astype("f8") @ vectors.T.astype("f8")
    if distance == "Euclid":
        near -= (vectors.astype("f8") ** 2).sum(axis=1) / 2
    true = np.argsort(-near, axis=1)[:, :10].tolist()
    for params in ({}, {"hnsw_ef": 64}):
        found = find(server, "c", queries, params=params)
        hits = sum(len(set(one) & set(best)) for one, best in zip(found, true))
        assert hits >= 0.98 * 10 * len(queries), params
