# SPDX-License-Identifier: Apache-2.0
"""Files stay short enough to be read in one sitting. Longer ones are listed in sizes.txt with the
number of lines they have; that number may only go down."""

from .tree import Finding

LINES_MAX = 800
README_LINES_MAX = 200
FROZEN = "tools/checks/sizes.txt"
ENDINGS = (".c", ".cc", ".h", ".py", ".sh", ".cmake", ".md", "CMakeLists.txt")


def frozen_sizes(tree):
    if FROZEN not in tree.files:
        return {}
    lines = [line.split() for line in tree.text(FROZEN).splitlines() if line and not line.startswith("#")]
    return {path: int(count) for count, path in lines}


def check(tree):
    frozen = frozen_sizes(tree)
    for path in sorted({*tree.sources(*ENDINGS), *tree.scripts()}):
        count = len(tree.text(path).splitlines())
        if path == "README.md" and count > README_LINES_MAX:
            yield Finding(path, 0, f"{count} lines; the first page has at most {README_LINES_MAX}")
        if path in frozen:
            if count > frozen[path]:
                yield Finding(path, 0, f"{count} lines, frozen at {frozen[path]}: it may only shrink")
            if count < frozen[path]:
                yield Finding(path, 0, f"{count} lines, frozen at {frozen[path]}: lower that in {FROZEN}")
            if count <= LINES_MAX:
                yield Finding(path, 0, f"{count} lines need no line in {FROZEN}")
        elif count > LINES_MAX:
            yield Finding(path, 0, f"{count} lines, at most {LINES_MAX}: split it by its nouns")
    for path in sorted(frozen.keys() - set(tree.files)):
        yield Finding(FROZEN, 0, f"there is no {path}")
