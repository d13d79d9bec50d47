# SPDX-License-Identifier: Apache-2.0
"""Words and calls that are not used here, each with what to write instead."""

import re

from .tree import Finding, matches

# (pattern, where: path pattern, what instead). Over whole texts: code, comments, chapters.
IN_TEXT = [
    (r"\b(TODO|FIXME|XXX|HACK)\b", r".", "do it now, or refuse it with an error and list it in README.md"),
    (r"\bfor now\b|\bplaceholder\b|\bdummy\b", r".", "say what holds; what is missing refuses"),
    (r"(?<![\w.])/(work|farm|home|root)/\w", r".", "paths of one machine mean nothing elsewhere"),
    (r"\b[Ii]ssues? #?\d+|\b(?<!GCC )PR #?\d+", r".", "say the reason itself"),
    (r"\b(this|next|last|previous|earlier|our|first) session\b", r"\.(md|c|cc|h|py|sh|cmake|txt)$|/[^.]*$",
     "say how things are, not how they came to be"),
    (r"\b(no longer|used to be|formerly|previously|was renamed|legacy code)\b", r"\.(md|c|cc|h|cmake)$",
     "say how things are, not how they were"),
    (r"[Ee]mbeddings?(?![a-z])", r"^(core|net|ioctl|kernel)/", "vector"),
    (r"\b[Bb]rute[- ]force\b", r".", "full scan, or exact"),
    (r"\b[Jj]ournal\b", r"^(core|net|ioctl)/", "WAL, or log"),
    (r"\b[Rr]eactor\b", r"^(core|net|ioctl)/", "core, or loop"),
    (r"\b([Dd]aemon|[Cc]ompactor|[Oo]ptimizer thread)\b", r"^(core|net|ioctl|kernel)/", "link, repair: commands"),
    (r"\b([Ww]hitelist|[Bb]lacklist)\w*", r".", "allow-list, deny-list"),
    (r"https?://[\w.-]*(pypi|pythonhosted|npmjs|docker\.io|crates\.io)\b", r".", "name the package, not its host"),
]

# Over C and C++ without comments and literals.
IN_CODE = [
    (r"\brandom_device\b", r".", "a seed that is printed, VEXFS_TEST_SEED"),
    (r"\b(std::)?s?rand\(", r".", "a seeded generator of <random>"),
    (r"\bstd::endl\b", r".", "'\\n'"),
    (r"\b(sprintf|strcpy|strcat|gets|strtok|atoi|atol|atof|alloca)\(", r".", "the bounded form; from_chars"),
    (r"\busing namespace std;", r".", "write std::"),
    (r"\bassert\(", r"\.(cc|h)$", "VEXFS_ASSERT, which stays on in release builds"),
    (r"\bcatch \(\.\.\.\) *\{ *\}", r".", "answer the failure"),
    (r"\b(?!(min|max)_token_len\b)\w+_(len|cnt|num|nr|sz)\b", r"\.(cc|h)$", "_count, _bytes, _index, _offset, _max"),
    (r"\b(num|nr|cnt)_\w+", r"\.(cc|h)$", "_count, _bytes, _index, _offset, _max, at the end of the name"),
    (r"\b(steady_clock|system_clock|high_resolution_clock)::now\b", r"^core/(?!io/)", "the loop's clock: core/io/loop.h"),
    (r"\bstd::(fopen|printf|puts|getchar)\(", r"^(core|net)/(?!base/)", "the log; core/io/storage.h"),
    (r"(?<![\w.>:])::(open|openat|read|write|pread|pwrite|close|fsync|fdatasync|rename|unlink|mmap|munmap|"
     r"socket|accept|send|recv|ioctl|syscall|poll|nanosleep|kill|clock_gettime)\(", r"^core/(?!io/)",
     "core/io: nothing else of core calls the system"),
]

# Where a word is allowed after all, and why.
ALLOWED = {
    ("tools/checks/words.py", None): "this table",
    ("tests/tools/test_lint.py", None): "its test",
    ("tests/core/io/storage_test.cc", "XXX"): "mkdtemp",
}


def compiled(table):
    return [(re.compile(pattern), re.compile(where), instead) for pattern, where, instead in table]


def is_allowed(path, word):
    return (path, None) in ALLOWED or (path, word) in ALLOWED


def check(tree):
    in_text, in_code = compiled(IN_TEXT), compiled(IN_CODE)
    for path in tree.written():
        scans = [(tree.text(path), in_text)]
        if path.endswith((".c", ".cc", ".h")):
            scans.append((tree.code(path), in_code))
        for text, table in scans:
            for pattern, where, instead in table:
                if not where.search(path):
                    continue
                for line, found in matches(text, pattern):
                    if not is_allowed(path, found.group().strip()):
                        yield Finding(path, line, f"'{found.group().strip()}': {instead}")
