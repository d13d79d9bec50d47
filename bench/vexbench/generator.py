#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the generator itself can do, in one run on this machine: its rate against wrk's on the bare ring,
its rate with 16 requests in each send, its pacing error at half of saturation, and its share of the
processors at batches of 64 queries.

Rounds of wrk and vexbench alternate; ratios are taken round by round, and their spread is printed.

    generator.py --build build/release
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import compare  # noqa: E402

PATH = "/collections/benchmark"
SMALL = """
name: small
steps:
  - request: {{name: peak, path: /collections/benchmark, connections: 32, pipeline: {pipeline}, mode: closed,
              seconds: {seconds}}}
"""
PACED = SMALL + """
  - request: {{name: constant, path: /collections/benchmark, rate_share: 0.5, rate_of: peak, arrivals: constant,
              connections: 64, seconds: {seconds}}}
  - request: {{name: poisson, path: /collections/benchmark, rate_share: 0.5, rate_of: peak, connections: 64,
              seconds: {seconds}}}
"""
BATCHES = """
name: batches
data: {{generate: {{shape: clustered, points: 10000, queries: 1024, dim: 128}}}}
steps:
  - create
  - upload: {{batch: 100}}
  - search: {{batch: 64, connections: 4, mode: closed, seconds: {seconds}, samples_per_second: 5}}
"""


@contextlib.contextmanager
def running(command, port, **options):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        compare.wait_until_up(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def vexbench(build, folder, port, scenario, **values):
    file, out = folder / "scenario.yaml", folder / "out"
    file.write_text(scenario.format(**values))
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([build / "vexbench", "run", file, "--url", f"http://127.0.0.1:{port}", "--out", out, "--threads",
                    "1", "--no-progress", "--cache", folder], check=True, capture_output=True)
    result = json.loads(next(out.glob("*.json")).read_text())
    return {step["name"]: step for step in result["steps"]}, result["noise"]["verdict"]


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} .. {max(values):{form}})"


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    given = options.parse_args()
    build = given.build.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vexbench-generator-"))
    noises = []
    try:
        script = folder / "pipeline.lua"
        script.write_text(compare.PIPELINE)
        claim = compare.ClaimedPort()  # ours as long as this object lives
        port = claim.number
        with running([build / "bare_ring", str(port), "58"], port):
            for pipeline in (1, 16):
                rates = {"wrk": [], "vexbench": []}
                for _ in range(given.rounds):
                    rates["wrk"].append(compare.measure(f"http://127.0.0.1:{port}", PATH, pipeline, 32, 1, given.seconds,
                                                        script))
                    steps, noise = vexbench(build, folder, port, SMALL, pipeline=pipeline, seconds=given.seconds)
                    rates["vexbench"].append(steps["peak"]["operations"][0]["requests_per_second"])
                    noises.append(noise)
                ratios = [ours / theirs for ours, theirs in zip(rates["vexbench"], rates["wrk"])]
                for name, values in rates.items():
                    print(f"x{pipeline:<2} {name:8} {spread(values, ',.0f')} /s")
                print(f"x{pipeline:<2} ratio    {spread(ratios, '.2f')}", flush=True)
            errors = {"constant": [], "poisson": []}
            for _ in range(given.rounds):
                steps, noise = vexbench(build, folder, port, PACED, pipeline=1, seconds=given.seconds)
                noises.append(noise)
                for name, values in errors.items():
                    p99 = steps[name].get("pacing_error_ns", {}).get("p99")
                    if isinstance(p99, int):  # else too few requests had to wait for the clock alone
                        values.append(p99 / 1e3)
            for name, values in errors.items():
                if not values:
                    print(f"pacing error, {name}: cannot tell, connections were never free")
                    continue
                print(f"pacing error p99 at half of the peak, {name}: {spread(values, '.0f')} us", flush=True)
        claim = compare.ClaimedPort()
        port = claim.number
        settings = {"QDRANT__SERVICE__HOST": "127.0.0.1", "QDRANT__SERVICE__HTTP_PORT": str(port),
                    "QDRANT__STORAGE__STORAGE_PATH": str(folder / "storage")}
        with running([build / "vexfs-qdrant"], port, cwd=folder, env=os.environ | settings):
            shares = []
            for _ in range(given.rounds):
                steps, noise = vexbench(build, folder, port, BATCHES, seconds=given.seconds)
                noises.append(noise)
                search = steps["search"]
                shares.append(search["generator_cpu_seconds"] / search["server"]["cpu_seconds"])
            print(f"generator's CPU over the server's, batches of 64 x 128: {spread(shares, '.3f')}")
        noisy = [noise for noise in noises if noise != "quiet"]
        print(f"{len(noisy)} of {len(noises)} runs on a noisy machine" + (f"; the last: {noisy[-1]}" if noisy else ""))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
