# SPDX-License-Identifier: Apache-2.0
"""The files that are judged: what git tracks or would track below a root, read once."""

import pathlib
import re
import subprocess
from dataclasses import dataclass

# Text that we did not write, or that is data.
DATA = re.compile(r"^LICENSE|^tests/fuzz/corpus/|\.jsonl$|^tests/conformance/.*\.txt$")

# What C and C++ do not read: comments, string and character literals (not the ' inside 1'000).
NOT_CODE = re.compile(
    r'R"(?P<mark>[^(\s"]*)\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|//[^\n]*|/\*.*?\*/"
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = sorted(self._list())
        self._texts = {}

    def _list(self):
        """Tracked files, and new ones that git does not ignore. Every file where there is no git."""
        listed = subprocess.run(
            ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            names = set(listed.stdout.split("\0")) - {""}
        else:
            names = {str(path.relative_to(self.root)) for path in self.root.rglob("*")}
        return [name for name in names if (self.root / name).is_file()]

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return self._texts[path]

    def code(self, path):
        """A C or C++ file with comments and literals blanked; lines and columns stay."""
        return NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), self.text(path))

    def written(self):
        """Files whose text is ours."""
        return [path for path in self.files if not DATA.search(path)]

    def sources(self, *endings):
        return [path for path in self.written() if path.endswith(endings or (".c", ".cc", ".h"))]

    def scripts(self):
        """Shell scripts: by name, or by their first line."""
        return [path for path in self.written()
                if path.endswith(".sh") or ("." not in path.rsplit("/", 1)[-1]
                                            and self.text(path).startswith("#!/usr/bin/env bash"))]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def matches(text, pattern):
    """(line, match) for each place where the pattern is found."""
    for found in pattern.finditer(text):
        yield line_of(text, found.start()), found
