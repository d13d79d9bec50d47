# SPDX-License-Identifier: Apache-2.0
"""What the README tells a new user to type works as it stands; only the port is another."""

import json
import re
import subprocess
import sys

from qdrant_client import QdrantClient, models

from server import ROOT


def readme_blocks(language):
    """The code blocks of the README's first five minutes, in order."""
    text = (ROOT / "README.md").read_text()
    chapter = text.split("## The first five minutes")[1].split("\n## ")[0]
    return [code for kind, code in re.findall(r"```(\w*)\n(.*?)```", chapter, re.DOTALL) if kind == language]


def here(server, code):
    return code.replace("localhost:6333", f"127.0.0.1:{server.port}")


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60, **more).stdout


def test_the_readmes_commands_do_what_they_say(server):
    answers = run(["bash", "-ec", here(server, "\n".join(readme_blocks("")))])
    decoder, documents = json.JSONDecoder(), []
    while answers.strip():
        answers = answers.strip()
        document, end = decoder.raw_decode(answers)
        documents.append(document)
        answers = answers[end:]
    assert [document["status"] for document in documents] == ["ok"] * 3
    assert [hit["payload"]["city"] for hit in documents[2]["result"]["points"]] == ["Berlin", "Moscow"]

    city_code, sample_code = readme_blocks("python")
    printed = run([sys.executable, "-c", here(server, city_code)])
    assert "Berlin" in printed and "London" in printed
    printed = run([sys.executable, "-c", here(server, sample_code)])
    assert len(printed.strip().splitlines()) == 3

    server.restart()
    client = QdrantClient(url=server.url)
    assert client.count("cities").count == 3
    assert client.count("packages").count == 600


def test_the_sample_is_found_exactly(server):
    client = QdrantClient(url=server.url)
    client.create_collection("sample", vectors_config=models.VectorParams(size=384, distance="Cosine"))
    lines = (ROOT / "tests/data/points.jsonl").read_text().splitlines()
    client.upload_points("sample", [models.PointStruct(**json.loads(line)) for line in lines], parallel=2, wait=True)
    for line in (ROOT / "tests/data/queries.jsonl").read_text().splitlines():
        wanted = json.loads(line)
        found = client.query_points("sample", query=wanted["vector"], limit=10,
                                    search_params=models.SearchParams(exact=True)).points
        assert {point.id for point in found} == set(wanted["nearest"])
        assert all(abs(point.score - score) < 1e-5 for point, score in zip(found, wanted["scores"]))
