# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from checks.tree import Tree  # noqa: E402


@pytest.fixture
def root():
    """The repository's folder."""
    return ROOT


@pytest.fixture
def tree_of(tmp_path):
    """tree_of({path: text}): a tree outside of any git checkout."""
    def make(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return Tree(tmp_path)
    return make
