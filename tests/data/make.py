# SPDX-License-Identifier: Apache-2.0
"""make.py FOLDER: writes points.jsonl and queries.jsonl beside itself from the whole data set in
FOLDER (base.fbin, queries.fbin, payload.jsonl; README.md tells their origin)."""

import json
import pathlib
import struct
import sys

import numpy

POINTS, QUERIES, NEAREST = 600, 20, 10
HERE = pathlib.Path(__file__).resolve().parent


def read_vectors(path, count):
    with open(path, "rb") as file:
        rows, dim = struct.unpack("<II", file.read(8))
        return numpy.fromfile(file, "<f4", min(rows, count) * dim).reshape(-1, dim)


def short(vector):
    """Four digits: small enough to keep, and every reader takes exactly the same numbers from it."""
    return [round(float(x), 4) + 0.0 for x in vector]


def main(source):
    payloads = (source / "payload.jsonl").read_text().splitlines()
    base = [short(vector) for vector in read_vectors(source / "base.fbin", POINTS)]
    queries = [short(vector) for vector in read_vectors(source / "queries.fbin", QUERIES)]
    unit = numpy.array(base)
    unit /= numpy.linalg.norm(unit, axis=1, keepdims=True)
    with open(HERE / "points.jsonl", "w") as out:
        for i, vector in enumerate(base):
            point = {"id": i, "vector": vector, "payload": json.loads(payloads[i])}
            out.write(json.dumps(point, ensure_ascii=False, separators=(",", ":")) + "\n")
    with open(HERE / "queries.jsonl", "w") as out:
        for query in queries:
            scores = unit @ (numpy.array(query) / numpy.linalg.norm(query))
            best = numpy.argsort(-scores, kind="stable")[:NEAREST]
            truth = {"vector": query, "nearest": best.tolist(), "scores": [round(float(scores[i]), 6) for i in best]}
            out.write(json.dumps(truth, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
