# SPDX-License-Identifier: Apache-2.0
"""Files that run once a row, a byte or a hop, and what does not belong into them."""

import re

from .tree import Finding, matches

BANS = {
    "heap": (r"\bnew\b(?! *\()|\b(make_unique|make_shared|malloc|calloc|realloc)\b|\bstd::(vector|string|map|set|list|deque)<?\b",
             "memory comes from the caller, or an arena"),
    "virtual": (r"\bvirtual\b|\boverride\b|\bdynamic_cast\b", "the choice is made outside the loop"),
    "function": (r"\bstd::(function|bind|any)\b", "a template parameter or a plain pointer"),
    "lock": (r"\b(mutex|lock_guard|unique_lock|scoped_lock|shared_lock|condition_variable|call_once)\b",
             "one writer and a guard: core/io"),
    "stream": (r"\b(iostream|stringstream|ostream|istream|printf|std::cout|std::cerr)\b", "hot code does not print"),
    "throw": (r"\bthrow\b|\btry *\{", "a result"),
}
ALL = tuple(BANS)
NOT_HEAP = tuple(name for name in BANS if name != "heap")

# Path prefix, and the bans that hold there. Where the heap is missing, memory grows with what is
# read and is kept warm between requests (counted in tests/net/http/allocation_test.cc).
HOT = [
    ("kernel/engine/", ALL),
    ("core/database/rescore.", ALL),
    ("core/database/slot_table.h", NOT_HEAP),
    ("core/database/scan_slices.", NOT_HEAP),
    ("core/filter/compiled_node.h", ALL),
    ("core/io/mailbox.h", ALL),
    ("core/io/read_guard.h", NOT_HEAP),
    ("core/base/crc32c.", ALL),
    ("core/payload/walk.", NOT_HEAP),
    ("core/payload/print.", NOT_HEAP),
    ("net/json/cursor.", NOT_HEAP),
    ("net/json/read_float.cc", ALL),
    ("net/http/parser.", ("function", "lock", "stream", "throw")),  # Beast calls back by virtual functions
    ("net/rest/decode/fast_", NOT_HEAP),
]


def check(tree):
    for place, bans in HOT:
        paths = [path for path in tree.sources() if path.startswith(place)]
        for path in paths:
            code = tree.code(path)
            for ban in bans:
                pattern, instead = BANS[ban]
                for line, found in matches(code, re.compile(pattern)):
                    yield Finding(path, line, f"'{found.group()}' in a hot file: {instead}")
