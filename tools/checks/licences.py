# SPDX-License-Identifier: Apache-2.0
"""One SPDX line near the top of each source file, with the licence of its folder."""

import re

from .tree import Finding

# The first folder that fits decides.
LICENCES = [
    ("kernel/module/", "GPL-2.0"),
    ("kernel/", "GPL-2.0 OR Apache-2.0"),
    ("", "Apache-2.0"),
]
ENDINGS = (".c", ".cc", ".h", ".py", ".sh")
LINE = re.compile(r"SPDX-License-Identifier:[ \t]*(.*?)[ \t]*(?:\*/)?[ \t]*$", re.MULTILINE)


def check(tree):
    for path in sorted({*tree.sources(*ENDINGS), *tree.scripts()}):
        expected = next(name for folder, name in LICENCES if path.startswith(folder))
        head = "\n".join(tree.text(path).splitlines()[:3])
        named = LINE.findall(head)
        if named != [expected]:
            what = " and ".join(named) or "nothing"
            yield Finding(path, 1, f"its first lines must name the licence {expected} once; they name {what}")
