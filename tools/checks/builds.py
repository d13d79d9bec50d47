# SPDX-License-Identifier: Apache-2.0
"""Every C and C++ source is compiled: a test that no CMakeLists.txt names would never fail."""

import re

from .tree import Finding

LISTS = "CMakeLists.txt"


def words(text):
    """The words of a CMakeLists.txt, without its comments."""
    return set(re.split(r"[\s();\"]+", re.sub(r"#.*", "", text)))


def list_above(tree, path):
    """The folder of the nearest CMakeLists.txt at or above a file's folder, or None."""
    folder = path
    while "/" in folder:
        folder = folder.rsplit("/", 1)[0]
        if f"{folder}/{LISTS}" in tree.files:
            return folder
    return "" if LISTS in tree.files else None


def check(tree):
    for path in tree.sources(".c", ".cc"):
        folder = list_above(tree, path)
        name = path.removeprefix(folder + "/") if folder else path
        if folder is None or name not in words(tree.text(f"{folder}/{LISTS}" if folder else LISTS)):
            yield Finding(path, 0, f"no {LISTS} compiles it")
    for path in tree.files:
        folder = path.removesuffix("/" + LISTS)
        if folder == path:
            continue
        above = list_above(tree, folder)
        name = folder.removeprefix(above + "/") if above else folder
        if above is None or name not in words(tree.text(f"{above}/{LISTS}" if above else LISTS)):
            yield Finding(path, 0, f"no {LISTS} above adds this folder")
