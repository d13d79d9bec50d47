# SPDX-License-Identifier: Apache-2.0
"""Random operations, through the unmodified qdrant-client, on our server, on the client's own local
mode and on the real engine: all three answer alike."""

import collections
import time

import pytest
from qdrant_client import QdrantClient

from backends import ClientBackend, EdgeBackend, MemoryBackend, Refused, Unsupported
from compare import difference
from operations import CONDITIONS, FIELDS, OPERATIONS, READS, Generator

SHRINK_SECONDS_MAX = 60
EVERYTHING = ("scroll", {"filter": None, "limit": 100_000, "with_payload": True, "with_vector": True})


def answer(backend, name, arguments):
    try:
        return backend.run(name, arguments)
    except (Refused, Unsupported) as outcome:
        return outcome


def compare(backends, name, arguments):
    """Runs one operation everywhere; what the server says otherwise than another, or nothing."""
    answers = {kind: answer(backend, name, arguments) for kind, backend in backends.items()}
    ours = answers.pop("server")
    for kind, theirs in answers.items():
        if not isinstance(theirs, Unsupported):
            why = difference(name, arguments, ours, theirs)
            if why:
                return f"server and {kind} differ: {why}"
    return None


def client_of(server):
    return ClientBackend(QdrantClient(url=server.url, timeout=30))


def backends_of(server):
    backends = {"server": client_of(server), "engine": EdgeBackend(), "local mode": MemoryBackend()}
    for backend in backends.values():
        backend.create()
    return backends


def fails(server, operations):
    """Whether these operations alone, in fresh collections, end in a difference at the last."""
    backends = backends_of(server)
    try:
        for name, arguments in operations[:-1]:
            for backend in backends.values():
                answer(backend, name, arguments)
        return compare(backends, *operations[-1]) is not None
    finally:
        backends["engine"].close()


def shrunk(server, operations):
    """The same failure with as few operations as bounded trying finds."""
    deadline = time.monotonic() + SHRINK_SECONDS_MAX
    last = operations[-1]
    kept = [one for one in operations[:-1] if one[0] not in READS]
    step = max(1, len(kept) // 2)
    while step and time.monotonic() < deadline:
        start = 0
        while start < len(kept) and time.monotonic() < deadline:
            fewer = kept[:start] + kept[start + step:]
            if fails(server, fewer + [last]):
                kept = fewer
            else:
                start += step
        step //= 2
    return kept + [last]


def report(server, seed, operations, why):
    smallest = shrunk(server, operations)
    lines = "\n".join(f"  {one!r}," for one in smallest)
    pytest.fail(f"seed {seed}, operation {len(operations)}: {why}\nthe shortest list found:\n[\n{lines}\n]",
                pytrace=False)


@pytest.mark.parametrize("turn", range(4))
def test_random_operations_are_answered_as_by_the_engine_and_by_local_mode(server, request, seed, turn):
    generator = Generator(seed * 4 + turn)
    backends = backends_of(server)
    total = request.config.getoption("--operations") // 4
    done, covered = [], collections.Counter()
    for index in range(total):
        name, arguments = generator.next()
        done.append((name, arguments))
        covered[name] += 1
        why = compare(backends, name, arguments)
        if why:
            report(server, seed, done, why)
        if name == "delete" and "filter" in arguments:
            generator.ids = {point["id"] for point in backends["engine"].run(*EVERYTHING)[0]}
        if index in (total // 3, 2 * total // 3):
            if index == total // 3:
                server.restart()
            else:
                server.kill()
                server.start()
            backends["server"] = client_of(server)
        if index % 200 == 0 or index in (total // 3, 2 * total // 3, total - 1):
            why = compare(backends, *EVERYTHING)
            if why:
                report(server, seed, done + [EVERYTHING], f"after operation {index}: {why}")
    backends["engine"].close()
    print(f"{total} operations: {dict(covered)}")
    assert set(covered) >= set(OPERATIONS) - {"scroll_ordered", "facet", "delete_index"}


@pytest.fixture(scope="module")
def filled():
    """One server for all conditions, filled once, first without indexes."""
    from server import Server
    server = Server().start()
    backends = backends_of(server)
    generator = Generator(7)
    for _ in range(40):
        arguments = generator.upsert()
        for backend in backends.values():
            backend.run("upsert", arguments)
    yield backends
    server.kill()
    backends["engine"].close()


@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("indexed", [False, True], ids=["without indexes", "with indexes"])
def test_a_condition_selects_what_the_engine_selects(filled, seed, indexed, kind):
    for field, schema in FIELDS.items():
        if indexed and field not in filled.setdefault("indexes", set()):
            for name, backend in filled.items():
                if name != "indexes":
                    backend.run("create_index", {"field": field, "schema": schema})
            filled["indexes"].add(field)
    backends = {name: backend for name, backend in filled.items() if name != "indexes"}
    generator = Generator(seed + CONDITIONS.index(kind))
    for _ in range(25):
        chosen = {"must": [generator.condition(kind)]}
        if generator.random.random() < 0.3:
            chosen = {"must_not": chosen["must"]}
        why = compare(backends, "scroll", {"filter": chosen, "limit": 1000, "with_payload": False, "with_vector": False})
        assert not why, f"{chosen}: {why}"
        query = {**generator.query(), "filter": chosen}
        why = compare(backends, "query", query)
        assert not why, f"{query}: {why}"
