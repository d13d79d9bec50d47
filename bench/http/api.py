#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of the API, each measured beside what it is judged by, in one run on this machine.

    api.py [--build build/release] [--only NAME]... [--rounds 5] [--seconds 3] [--smoke]

metadata   GET /collections/{name} with wrk, single and 16 in a send, against the bare ring
upsert     128-d points in batches of 256, wait=false, with wrk: points a second, acknowledged and
           visible (the count is compared at the end)
search     query/batch of 64 exact searches over 10,000 x 128: CPU of the server for one batch against
           that of the engine and the exact ranking alone (database_bench); every answer is exact, which is
           checked against numpy; and how many cores one connection keeps busy
under_scan GET /collections/{name}, one at a time, while another connection has the server scan
           200,000 x 384 without end: how long an answer takes
upload     500,000 points through qdrant-client's upload_points(parallel=4)

Rates of a shared machine wander: medians with their spread, and ratios of neighbouring rounds."""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import numpy

import compare
from compare import ClaimedPort

WRK_BODIES = """
local bodies = {}
local turn = 0
init = function(args)
  local path = args[1]
  local first = tonumber(args[2])
  for i = first, first + tonumber(args[3]) - 1 do
    local file = io.open(args[4] .. "/" .. i, "rb")
    bodies[#bodies + 1] = wrk.format(args[5], path, {["content-type"] = "application/json"}, file:read("*a"))
    file:close()
  end
end
request = function()
  turn = turn % #bodies + 1
  return bodies[turn]
end
"""


class Server:
    """The server under measurement, with two cores and a folder of its own."""

    def __init__(self, build):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vexfs-bench-"))
        self.claim = ClaimedPort()
        self.port = self.claim.number
        environment = os.environ | {
            "QDRANT__SERVICE__HOST": "127.0.0.1", "QDRANT__SERVICE__HTTP_PORT": str(self.port),
            "QDRANT__SERVICE__MAX_WORKERS": "2", "QDRANT__STORAGE__STORAGE_PATH": str(self.folder / "storage")}
        self.process = subprocess.Popen([build.resolve() / "vexfs-qdrant"], cwd=self.folder, env=environment,
                                        stdout=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}"
        compare.wait_until_up(self.port, self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def ask(self, method, path, body=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["result"]

    def fill(self, name, vectors, distance="Dot"):
        """Creates a collection of these rows, ids 0, 1, ..."""
        self.ask("PUT", f"/collections/{name}", {"vectors": {"size": vectors.shape[1], "distance": distance}})
        step = 1000
        for first in range(0, len(vectors), step):
            rows = vectors[first:first + step].tolist()
            self.ask("PUT", f"/collections/{name}/points",
                     {"points": [{"id": first + i, "vector": row} for i, row in enumerate(rows)]})

    def cpu_seconds(self):
        return compare.cpu_seconds(self.process)


def gaussian(rows, dim, seed):
    return numpy.random.default_rng(seed).standard_normal((rows, dim), dtype=numpy.float32)


def spread(values, form="{:.0f}"):
    shown = [form.format(value) for value in (statistics.median(values), min(values), max(values))]
    return f"median {shown[0]} ({shown[1]} .. {shown[2]})"


def run_wrk(server, connections, seconds, script, arguments):
    """Requests a second."""
    return compare.wrk(["-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, server.url, "--", *arguments])


def metadata(given):
    with Server(given.build) as server:
        server.fill("benchmark", gaussian(100, 4, 1))
        return compare.against_bare_ring(given.build, server.port, server.process, "/collections/benchmark",
                                         rounds=given.rounds, seconds=given.seconds, connections=32, threads=1)


def upsert(given):
    batch, files, dim = 256, 32, 128
    vectors = gaussian(batch * files, dim, 2)
    with Server(given.build) as server, tempfile.TemporaryDirectory() as folder:
        server.ask("PUT", "/collections/benchmark", {"vectors": {"size": dim, "distance": "Cosine"}})
        for i in range(files):
            rows = vectors[i * batch:(i + 1) * batch].round(6).tolist()
            points = [{"id": i * batch + j, "vector": row, "payload": {"bucket": j}} for j, row in enumerate(rows)]
            (pathlib.Path(folder) / str(i)).write_text(json.dumps({"points": points}))
        script = pathlib.Path(folder) / "bodies.lua"
        script.write_text(WRK_BODIES)
        rates, costs = [], []
        for turn in range(given.rounds + 1):
            before = server.cpu_seconds()
            rate = batch * run_wrk(server, 8, given.seconds, str(script),
                                   ["/collections/benchmark/points", "0", str(files), folder, "PUT"])
            if turn > 0:
                rates.append(rate)
                costs.append((server.cpu_seconds() - before) * 1e6 / (rate * given.seconds))
        count = server.ask("POST", "/collections/benchmark/points/count", {"exact": True})["count"]
        if count != batch * files:
            sys.exit(f"{count} points of {batch * files} are there")
        print(f"upsert     {spread(rates)} points/s of 128-d in batches of {batch}, "
              f"{spread(costs, '{:.2f}')} us of CPU a point", flush=True)


def search(given):
    rows, dim, queries, limit = 10_000, 128, 64, 10
    base, wanted = gaussian(rows, dim, 3), gaussian(queries, dim, 4)
    with Server(given.build) as server, tempfile.TemporaryDirectory() as folder:
        server.fill("benchmark", base)
        body = json.dumps({"searches": [{"query": query, "limit": limit, "params": {"exact": True}}
                                        for query in wanted.tolist()]})
        path = "/collections/benchmark/points/query/batch"
        truth = numpy.argsort(-(wanted.astype(numpy.float64) @ base.T.astype(numpy.float64)), axis=1)[:, :limit]
        for found, nearest in zip(server.ask("POST", path, body.encode()), truth):
            if [point["id"] for point in found["points"]] != nearest.tolist():
                sys.exit("an answer is not the true nearest points")
        (pathlib.Path(folder) / "0").write_text(body)
        script = pathlib.Path(folder) / "bodies.lua"
        script.write_text(WRK_BODIES)
        rates, costs, ratios, busy = [], [], [], []
        for turn in range(given.rounds + 1):
            engine = json.loads(subprocess.run(
                [given.build / "database_bench", "--benchmark_filter=scan_batch_of_queries/64/128$",
                 f"--benchmark_min_time={given.seconds / 3}", "--benchmark_format=json"],
                check=True, capture_output=True, text=True).stdout)["benchmarks"][0]["cpu_time"]  # ns
            before = server.cpu_seconds()
            rate = run_wrk(server, 1, given.seconds, str(script), [path, "0", "1", folder, "POST"])
            used = server.cpu_seconds() - before
            if turn > 0:
                rates.append(rate * queries)
                busy.append(used / given.seconds)
                costs.append(used * 1e6 / (rate * given.seconds))
                ratios.append(costs[-1] * 1e3 / engine)
        print(f"search     {spread(rates)} searches/s on one connection (exact, recall 1), "
              f"{spread(busy, '{:.2f}')} cores busy\n"
              f"           {spread(costs)} us of CPU a batch of {queries}, "
              f"{spread(ratios, '{:.2f}')} times the engine's", flush=True)


def under_scan(given):
    rows, dim = (2_000 if given.smoke else 200_000), 384
    with Server(given.build) as server:
        server.fill("benchmark", gaussian(rows, dim, 5))
        body = json.dumps({"searches": [{"query": query, "limit": 10, "params": {"exact": True}}
                                        for query in gaussian(32, dim, 6).tolist()]}).encode()
        running, scans = True, []

        def scan():
            while running:
                start = time.perf_counter()
                server.ask("POST", "/collections/benchmark/points/query/batch", body)
                scans.append(time.perf_counter() - start)

        scanner = threading.Thread(target=scan)
        scanner.start()
        waits = []
        try:
            client = http.client.HTTPConnection("127.0.0.1", server.port)
            end = time.perf_counter() + given.seconds * given.rounds
            while time.perf_counter() < end:
                start = time.perf_counter()
                client.request("GET", "/collections/benchmark")
                client.getresponse().read()
                waits.append((time.perf_counter() - start) * 1e3)
                time.sleep(0.001)
        finally:
            running = False
            scanner.join()
        waits.sort()
        print(f"under_scan GET: median {waits[len(waits) // 2]:.2f} ms, p99 {waits[len(waits) * 99 // 100]:.2f} ms, "
              f"most {waits[-1]:.2f} ms, of {len(waits)}; the scans took {spread([s * 1e3 for s in scans])} ms",
              flush=True)


def upload(given):
    from qdrant_client import QdrantClient, models
    count, dim = (2_000 if given.smoke else 500_000), 128
    with Server(given.build) as server:
        client = QdrantClient(server.url, timeout=60)
        client.create_collection("benchmark", vectors_config=models.VectorParams(
            size=dim, distance=models.Distance.COSINE))
        vectors = gaussian(count, dim, 7)
        points = (models.PointStruct(id=i, vector=vectors[i].tolist(), payload={"bucket": i % 1000})
                  for i in range(count))
        start = time.perf_counter()
        client.upload_points("benchmark", points, parallel=4, batch_size=256, wait=False)
        seconds = time.perf_counter() - start
        found = client.count("benchmark", exact=True).count
        if found != count:
            sys.exit(f"{found} points of {count} are there")
        print(f"upload     {count} points by upload_points(parallel=4) in {seconds:.0f} s, "
              f"{count / seconds:.0f} points/s (the client's own cost), "
              f"{server.cpu_seconds():.1f} s of the server's CPU", flush=True)


MEASURES = {"metadata": metadata, "upsert": upsert, "search": search, "under_scan": under_scan, "upload": upload}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    options.add_argument("--only", action="append", choices=MEASURES, default=[])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--smoke", action="store_true", help="small and short: that everything still runs")
    given = options.parse_args()
    if given.smoke:
        given.rounds = given.seconds = 1
    for name in given.only or MEASURES:
        MEASURES[name](given)


if __name__ == "__main__":
    main()
