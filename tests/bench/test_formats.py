# SPDX-License-Identifier: Apache-2.0
"""Files and truths of vexbench against numpy and h5py."""

import pathlib

import h5py
import numpy
import pytest

from vexbench_run import run


def read_bin(path, kind):
    rows, columns = numpy.fromfile(path, dtype="<u4", count=2)
    return numpy.fromfile(path, dtype=kind, offset=8).reshape(rows, columns)


def read_vecs(path, kind):
    raw = numpy.fromfile(path, dtype="<i4")
    return raw.reshape(-1, raw[0] + 1)[:, 1:].copy().view(kind)


def write_bin(path, array):
    with open(path, "wb") as file:
        file.write(numpy.array(array.shape, dtype="<u4").tobytes() + array.tobytes())


def write_vecs(path, array):
    lengths = numpy.full((len(array), 1), array.shape[1], dtype="<i4")
    numpy.hstack([lengths, array.view("<i4")]).tofile(path)


def nearest(base, queries, distance, count):
    """The whole matrix of distances in float64, sorted; ties by the smaller row."""
    base, queries = base.astype("f8"), queries.astype("f8")
    if distance == "Cosine":
        base = base / numpy.linalg.norm(base, axis=1, keepdims=True)
        queries = queries / numpy.linalg.norm(queries, axis=1, keepdims=True)
    if distance in ("Cosine", "Dot"):
        apart = -queries @ base.T
    elif distance == "Euclid":
        apart = ((queries[:, None, :] - base[None, :, :]) ** 2).sum(axis=2)
    else:
        apart = numpy.abs(queries[:, None, :] - base[None, :, :]).sum(axis=2)
    return numpy.argsort(apart, axis=1, kind="stable")[:, :count]


def test_made_vectors_are_the_same_in_every_format(tmp_path, seed):
    made = {}
    for ending, read in ((".fbin", read_bin), (".fvecs", read_vecs), (".npy", lambda path, _: numpy.load(path))):
        base, queries = tmp_path / f"base{ending}", tmp_path / f"queries{ending}"
        run("generate", base, queries, "--points", 50, "--queries", 7, "--dim", 9, "--seed", seed)
        made[ending] = (read(base, "<f4"), read(queries, "<f4"))
    for base, queries in made.values():
        assert base.dtype == numpy.float32 and base.shape == (50, 9) and queries.shape == (7, 9)
        numpy.testing.assert_array_equal(base, made[".npy"][0])
        numpy.testing.assert_array_equal(queries, made[".npy"][1])


@pytest.mark.parametrize("distance", ["Cosine", "Dot", "Euclid", "Manhattan"])
def test_truths_of_all_formats_are_numpys(tmp_path, seed, distance):
    numbers = numpy.random.default_rng(seed)
    base = numbers.standard_normal((300, 20)).astype("<f4")
    queries = numbers.standard_normal((15, 20)).astype("<f4")
    write_bin(tmp_path / "base.fbin", base)
    write_vecs(tmp_path / "base.fvecs", base)
    numpy.save(tmp_path / "base.npy", base)
    numpy.save(tmp_path / "wide.npy", base.astype("<f8"))
    numpy.save(tmp_path / "queries.npy", queries)
    with h5py.File(tmp_path / "all.hdf5", "w") as file:
        file["train"] = base
        file["test"] = queries.astype("f8")
    expected = nearest(base, queries, distance, 10)
    at_root = set(pathlib.Path("/").glob("truth-*"))
    for stored in ("base.fbin", "base.fvecs", "base.npy", "wide.npy", "all.hdf5:train"):
        asked = "all.hdf5:test" if "hdf5" in stored else "queries.npy"
        run("truth", tmp_path / stored, tmp_path / asked, tmp_path / "truth.ibin", "--distance", distance,
            "--count", 10)
        numpy.testing.assert_array_equal(read_bin(tmp_path / "truth.ibin", "<u4"), expected, stored)
    assert set(pathlib.Path("/").glob("truth-*")) == at_root, "a truth was kept where nobody asked for it"
    run("truth", tmp_path / "base.npy", tmp_path / "queries.npy", tmp_path / "truth.npy", "--distance", distance,
        "--count", 10)
    numpy.testing.assert_array_equal(numpy.load(tmp_path / "truth.npy"), expected)
    run("truth", tmp_path / "base.npy", tmp_path / "queries.npy", tmp_path / "truth.ivecs", "--distance", distance,
        "--count", 10)
    numpy.testing.assert_array_equal(read_vecs(tmp_path / "truth.ivecs", "<u4"), expected)


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    with h5py.File(tmp_path / "odd.hdf5", "w") as file:
        file["flat"] = numpy.zeros(5, dtype="f4")
        file["whole"] = numpy.zeros((5, 5), dtype="i4")
        file["train"] = numpy.zeros((5, 5), dtype="f4")
    numpy.save(tmp_path / "q.npy", numpy.zeros((1, 4), dtype="f4"))
    for base, why in (("odd.hdf5:flat", "two dimensions"), ("odd.hdf5:whole", "floats"),
                      ("odd.hdf5:none", "no data set 'none'"), ("odd.hdf5:train", "vectors of 5")):
        done = run("truth", tmp_path / base, tmp_path / "q.npy", tmp_path / "t.ibin", status=1)
        assert why in done.stderr
