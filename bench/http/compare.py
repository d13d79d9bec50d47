#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rates of a server against the bare ring, in one run on this machine.

wrk runs against both in turn, several rounds, once unpipelined and once with 16 requests in each
send. Rates of a shared machine wander: judge the ratio, taken round by round, and its spread.
Where wrk is the bottleneck the rates are equal, and the CPU time of a request tells more.

    compare.py --build build/release                    hello_server against bare_ring
    compare.py --server './vexfs --port {port}' --path /collections/test
"""

import argparse
import os
import pathlib
import re
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests/clients"))

from ports import ClaimedPort  # noqa: E402

PIPELINE = """
init = function(args)
  local one = wrk.format("GET", args[1])
  local all = {}
  for i = 1, tonumber(args[2]) do all[i] = one end
  whole = table.concat(all)
end
request = function() return whole end
"""


def start(command):
    process = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
    return process


def wait_until_up(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not listen")


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(arguments):
    """Requests a second; ends the program where an answer was wrong."""
    text = subprocess.run(["wrk", *arguments], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"wrong answers:\n{text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def measure(url, path, depth, connections, threads, seconds, script):
    arguments = [f"-t{threads}", f"-c{connections}", f"-d{seconds}s"]
    if depth > 1:
        arguments += ["-s", script]
    arguments.append(url + path)
    if depth > 1:
        arguments += ["--", path, str(depth)]
    return wrk(arguments)


def against_bare_ring(build, port, process, path, rounds, seconds, connections, threads, bare=None):
    """Measures a running server and the bare ring in turn, and prints both; the median ratio of
    single requests and of 16 in a send. The bare ring answers with as many bytes as the server."""
    answer = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()
    claim = ClaimedPort()  # ours as long as this object lives
    bare_port = claim.number
    bare_process = start((bare or f"{build}/bare_ring {{port}} {{bytes}}").format(port=bare_port, bytes=len(answer)))
    medians = []
    try:
        wait_until_up(bare_port, bare_process)
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(PIPELINE)
            script.flush()
            for depth in (1, 16):
                rates = {"server": [], "bare": []}
                costs = {"server": [], "bare": []}
                for turn in range(rounds + 1):
                    for name, at, of in (("server", port, process), ("bare", bare_port, bare_process)):
                        before = cpu_seconds(of)
                        rate = measure(f"http://127.0.0.1:{at}", path, depth, connections, threads, seconds,
                                       script.name)
                        if turn > 0:  # the first round warms both up
                            rates[name].append(rate)
                            costs[name].append((cpu_seconds(of) - before) * 1e6 / (rate * seconds))
                ratios = [s / b for s, b in zip(rates["server"], rates["bare"])]
                for name, values in rates.items():
                    print(f"x{depth:<3} {name:7} median {statistics.median(values):10.0f} /s  "
                          f"({min(values):.0f} .. {max(values):.0f})  "
                          f"{statistics.median(costs[name]):.2f} us of CPU each")
                medians.append(statistics.median(ratios))
                print(f"x{depth:<3} ratio   median {medians[-1]:10.3f}     "
                      f"({min(ratios):.3f} .. {max(ratios):.3f})", flush=True)
    finally:
        bare_process.terminate()
        bare_process.wait()
    return medians


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--build", default="build/release")
    options.add_argument("--server", help="command of the server, {port} in it; default: hello_server")
    options.add_argument("--bare", help="command of the bare ring, {port} and {bytes} in it")
    options.add_argument("--path", default="/collections/benchmark")
    options.add_argument("--cores", type=int, default=1, help="of hello_server; the bare ring has one")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--least", type=float, default=0.0, help="fail below this median ratio")
    given = options.parse_args()

    claim = ClaimedPort()
    port = claim.number
    process = start((given.server or f"{given.build}/hello_server {{port}} {given.cores}").format(port=port))
    try:
        wait_until_up(port, process)
        medians = against_bare_ring(given.build, port, process, given.path, given.rounds, given.seconds,
                                    given.connections, given.threads, given.bare)
        return 1 if min(medians) < given.least else 0
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
