# SPDX-License-Identifier: Apache-2.0
"""vexbench run from outside: its figures against independent ones, its messages and exit codes."""

import pathlib
import re
import signal
import time
import xml.etree.ElementTree

import numpy
import pytest

from ports import ClaimedPort
from server import BINARY as SERVER
from stub import serving
from test_formats import nearest, read_bin
from vexbench_run import operations, read_histogram_log, results, run, run_file, run_scenario, start

SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "bench/scenarios"

MADE = "name: made\ndata: {generate: {shape: clustered, points: 300, queries: 20, dim: 8}}\n"


def test_recall_is_what_numpy_computes_from_the_same_answers(tmp_path, sample):
    """The stub leaves a true neighbour out here and there: recall is neither 0 nor 1."""
    base, queries = (read_bin(sample / f"{name}.fbin", "<f4") for name in ("base", "queries"))
    truth = nearest(base, queries, "Cosine", 11)
    returned = {}
    for index, query in enumerate(queries):
        ids = list(truth[index])
        del ids[index % 10 if index % 3 else 10]
        ids[0] = ids[1] if index % 5 == 4 else ids[0]
        returned[query.tobytes()] = ids
    expected = numpy.mean([len(set(returned[query.tobytes()]) & set(truth[index][:10])) / 10
                           for index, query in enumerate(queries)])
    assert 0.8 < expected < 0.99
    with serving(lambda query, _: returned[numpy.array(query, dtype="<f4").tobytes()], len(base)) as stub:
        text = ("name: recall\ndata: {base: '${data}/base.fbin', queries: '${data}/queries.fbin'}\n"
                "steps:\n  - upload: {batch: 200}\n"
                "  - solve: {name: one, targets: [0.5], peak: {connections: 2}, seconds: 0.2}\n"
                "  - solve: {name: batch, batch: 4, targets: [0.5], peak: {connections: 2}, seconds: 0.2}\n")
        result, _ = run_scenario(tmp_path, text, stub.url, "--set", f"data={sample}")
    measured = operations(result)
    for step in ("one", "batch"):
        found = measured[step, "curve, ef 10"]["recall"]
        assert found["queries"] == len(queries) and found["k"] == 10
        assert found["mean"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_scenario_of_the_repository_runs(tmp_path, sample, server, file):
    settings = {"data": sample, "seconds": "0.2", "idle": "0.3", "points": "400", "load_rate": "50",
                "rounds": "2"}
    url = server.url
    if "server:" in file.read_text():
        claim = ClaimedPort()
        url = f"http://127.0.0.1:{claim.number}"
        settings |= {"server": SERVER, "storage": tmp_path / "storage"}
    used = [name for name in settings if f"${{{name}}}" in file.read_text()]
    given = [word for name in used for word in ("--set", f"{name}={settings[name]}")]
    result, done = run_file(tmp_path, file, url, *given)
    assert not result["interrupted"] and "failure" not in result
    for (step, name), each in operations(result).items():
        assert each["error_statuses"] == each["lost"] == 0, (step, name)
        if isinstance(each.get("recall"), dict):
            assert each["recall"]["mean"] > 0.9, (step, name)
    for step in result["steps"]:
        if step["operations"]:
            assert step["server"]["processes"] >= 1
            assert step["server"]["resident_bytes"] > 0
        pictures = sorted((tmp_path / "out").glob(f"*-{step['name']}.svg"))
        assert len(pictures) == ("marks" in step) == (step["kind"] == "mixed")
        for picture in pictures:
            lines = xml.etree.ElementTree.parse(picture).findall("{http://www.w3.org/2000/svg}polyline")
            assert len(lines) >= 4
    assert f"# {result['scenario']['name']}" in done.stdout
    for row in result.get("table", []):
        assert f"| {row['what']} |" in done.stdout


def test_a_search_finds_the_peak_in_a_closed_loop_and_its_latencies_in_an_open_one(tmp_path, server):
    text = MADE + ("steps:\n  - create\n  - upload: {batch: 50}\n"
                   "  - search: {name: both, connections: 2, seconds: 0.3, latency_share: 0.4}\n"
                   "  - search: {name: peak, connections: 2, seconds: 0.3, mode: closed}\n"
                   "  - request: {name: get, connections: 2, seconds: 0.3}\n")
    result, _ = run_scenario(tmp_path, text, server.url)
    measured = operations(result)
    for name, share in (("both", 0.4), ("get", 0.8)):
        (peak, latency) = (each for (step, _), each in measured.items() if step == name)
        assert latency["name"] == peak["name"] + ", latency"
        assert "planned_per_second" not in peak and "closed loop" in peak["latency_from"]
        assert latency["latency_from"] == "planned time"
        assert latency["planned_per_second"] == pytest.approx(share * peak["requests_per_second"])
    assert [name for step, name in measured if step == "peak"] == ["peak"]


def test_the_histogram_log_has_every_answer_of_the_result(tmp_path, server):
    text = MADE + "steps:\n  - create\n  - upload: {batch: 50}\n  - search: {rate: 300, connections: 8, seconds: 1.2}\n"
    result, _ = run_scenario(tmp_path, text, server.url)
    (log,) = (tmp_path / "out").glob("*.hlog")
    counted = {}
    for tag, counts in read_histogram_log(log.read_text()):
        merged = counted.setdefault(tag, {})
        for lowest, count in counts.items():
            merged[lowest] = merged.get(lowest, 0) + count
    for (step, name), each in operations(result).items():
        merged = counted[f"{step}/{name}".replace(" ", "_")]
        total = each["answered"] + each["unanswered"] + each["unsent"]
        assert sum(merged.values()) == total == sum(second["count"] for second in each["per_second"])
        # Half of the values lie at or below the median, whose count begins at or below it.
        if isinstance(each["latency_ns"]["p50"], int):
            below = sum(count for lowest, count in merged.items() if lowest <= each["latency_ns"]["p50"])
            assert below >= total / 2
    search = operations(result)["search", "search"]
    assert search["planned_per_second"] == 300
    assert search["latency_ns"]["p999"] == "cannot tell"


def test_filters_of_the_payload_are_judged_by_what_passes(tmp_path, sample, server):
    text = ("name: payload\ndata: {base: '${data}/base.fbin', queries: '${data}/queries.fbin',"
            " payload: '${data}/payload.jsonl'}\nsteps:\n  - create\n  - upload: {batch: 100}\n"
            "  - search: {name: below, seconds: 0.3, filter: {field: bucket, below: 100}}\n"
            "  - search: {name: equals, seconds: 0.3, filter: {field: topics, equals: web}}\n"
            "  - search: {name: nothing, seconds: 0.3, filter: {field: bucket, below: -1}}\n")
    result, _ = run_scenario(tmp_path, text, server.url, "--set", f"data={sample}")
    measured = operations(result)
    assert measured["below", "below"]["recall"]["mean"] == 1
    assert measured["nothing", "nothing"]["recall"] == "nothing passes the filter"


def test_the_same_seed_plans_the_same(tmp_path):
    """Queries as the server sees them; another seed of the data, other ones."""
    heard = []
    for data_seed in (5, 5, 6):
        seen = []
        text = MADE.replace("dim: 8", f"dim: 8, seed: {data_seed}") + (
            "steps:\n  - upload: {batch: 100}\n"
            "  - solve: {targets: [0.01], ef_max: 10, peak: {connections: 1}, seconds: 0.1}\n")
        with serving(lambda query, limit: seen.append(query) or range(limit), 300) as stub:
            run_scenario(tmp_path, text, stub.url)
        heard.append(seen[:20])  # every query once, before anything is timed
    assert len(heard[0]) == 20
    assert heard[0] == heard[1] != heard[2]


# What goes wrong: a message that names it, and a code of its own.


def test_wrong_urls(tmp_path):
    for url in ("127.0.0.1:1", "http://no-such-host.invalid", "https://127.0.0.1"):
        result, done = run_scenario(tmp_path, MADE + "steps: [create]\n", url, status=3)
        assert result is None and url in done.stderr


def test_nobody_listening(tmp_path):
    result, done = run_scenario(tmp_path, MADE + "steps: [create]\n", f"http://127.0.0.1:{ClaimedPort().number}", status=4)
    assert result is None and "Connection refused (is the server running?)" in done.stderr


def test_error_statuses(tmp_path, server):
    text = "name: missing\nsteps:\n  - request: {path: /collections/missing, seconds: 3600}\n"
    result, done = run_scenario(tmp_path, text, server.url, status=5)
    assert "answered 404" in done.stderr and "missing" in done.stderr
    each = operations(result)["request", "GET /collections/missing"]
    assert each["answered"] == 0 and each["error_statuses"] > 0 and "404" in each["first_error"]
    # Of a control request, too.
    _, done = run_scenario(tmp_path, MADE + "collection: {name: 'a/b'}\nsteps: [create]\n", server.url, status=5)
    assert "/collections/a/b" in done.stderr


def test_too_few_points(tmp_path):
    with serving(lambda _, limit: range(limit), 299) as stub:
        _, done = run_scenario(tmp_path, MADE + "steps:\n  - upload: {batch: 50}\n", stub.url, status=6)
    assert "too few points: 300 were acknowledged, the server counts 299" in done.stderr


def test_a_missed_row_of_the_table_fails_only_when_asked(tmp_path, server):
    text = ("name: table\nsteps:\n  - request: {path: /, seconds: 0.2}\ntable:\n  rows:\n"
            "    - {what: too much, step: request, value: requests_per_second, at_least: 1e12}\n")
    result, done = run_scenario(tmp_path, text, server.url)
    assert result["table"][0]["reached"] is False and "**no**" in done.stdout
    run_scenario(tmp_path, text, server.url, "--check", status=7)


def test_wrong_command_lines_and_scenarios(tmp_path):
    run(status=2)
    run("run", status=2)
    run("run", "x.yaml", "--no-such-flag", status=2)
    done = run("run", tmp_path / "missing.yaml", status=2)
    assert "missing.yaml: cannot be read" in done.stderr
    _, done = run_scenario(tmp_path, MADE + "steps:\n  - search:\n      hnsw_eff: 3\n", "http://127.0.0.1:1", status=2)
    assert re.search(r"scenario.yaml:5: steps\[0\].search.hnsw_eff: is not a key", done.stderr)
    assert run("--help").stdout.startswith("Loads servers")
    file = tmp_path / "scenario.yaml"
    file.write_text("name: ${first}${second}\nsteps: [create]\n")
    done = run("run", "--set", "first=a", "--set", "second=b", file, status=2)
    assert "needs data" in done.stderr, "a setting took the file's name"
    done = run("run", "--set", "first", file, status=2)
    assert "must be NAME=VALUE" in done.stderr


def test_ctrl_c_ends_with_what_was_measured(tmp_path):
    file = tmp_path / "long.yaml"
    file.write_text("name: long\nsteps:\n  - request: {path: /, seconds: 3600}\n  - request: {path: /, seconds: 3600}\n")
    with serving(lambda _, limit: range(limit), 0) as stub:
        process = start("run", file, "--url", stub.url, "--out", tmp_path / "out")
        while stub.asked < 60:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        printed, complaint = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in complaint
    result = results(tmp_path / "out")
    assert result["interrupted"] and len(result["steps"]) == 1
    assert result["steps"][0]["operations"][0]["answered"] >= 50
    assert "**Interrupted**" in printed


def test_a_crowded_machine_is_said_and_refused_when_asked(tmp_path, server):
    """The verdict follows from the figures in the same result."""
    result, done = run_scenario(tmp_path, "name: quiet\nsteps:\n  - request: {path: /, seconds: 1.5}\n", server.url)
    noise = result["noise"]
    share = result["steps"][0]["others_cpu_share"]
    noisy = noise["before"]["lost_share"] > 0.05 or noise["after"]["lost_share"] > 0.05 or share > 0.05 \
        or result["steps"][0]["stolen_share"] > 0.05
    assert noise["verdict"].startswith("too noisy") == noisy
    assert ("too noisy" in done.stdout) == noisy
