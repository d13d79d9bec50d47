# SPDX-License-Identifier: Apache-2.0
"""Who may include whom, and who may include what from outside."""

import re

from .tree import Finding, matches

# A folder may include itself and these; a name stands for all below it too. The longest name that a
# file's path begins with is its folder.
ARROWS = {
    "kernel/uapi": [],
    "kernel/engine": ["kernel/uapi"],
    "kernel/module": ["kernel/engine", "kernel/uapi"],
    "core/base": [],
    "core/io": ["core/base"],
    "core/payload": ["core/base"],
    "core/model": ["core/base", "core/payload"],
    "core": ["core/base", "core/model"],  # device.h, the contract that ioctl implements
    "core/filter": ["core/base", "core/model", "core/payload"],
    "core/database": ["core"],
    "net/http": ["core/base", "core/io"],
    "net/json": ["core/base", "core/payload"],
    "net/rest": ["core", "net/http", "net/json"],
    "ioctl": ["core", "kernel/uapi", "kernel/engine"],
    "tools": ["core", "net", "ioctl", "kernel"],
    "bench": ["core", "net", "ioctl", "kernel", "tools"],
    "bench/vexbench": ["core/base", "core/io"],  # measures any server: knows none of ours
    "tests": ["core", "net", "ioctl", "kernel", "tools", "bench"],
}

# Headers from outside the tree: a pattern over their names, and where they may be included. Each
# library stays behind one or few files, so that it can be replaced and compiles once.
OUTSIDE = [
    (r"boost/beast/.*", ["net/http/parser.cc"]),
    (r"boost/asio/buffer\.hpp", ["net/http/parser.cc"]),
    (r"boost/asio/.*", ["core/io/epoll_transport.cc"]),
    (r"boost/json(/.*|\.hpp)", ["net/json/document.cc", "bench/vexbench/"]),
    (r"boost/unordered/.*", ["core/database/id_map.h"]),
    (r"liburing\.h", ["core/io/ring.cc", "bench/"]),
    (r"sanitizer/.*", ["core/io/huge_pages.cc"]),
    (r"roaring/.*", ["core/filter/slot_set.h"]),
    (r"libstemmer\.h", ["core/filter/text_analyzer.cc"]),
    (r"unicode/.*", ["core/payload/utf8.cc"]),
    (r"(brotli/.*|zlib\.h|zstd\.h)", ["net/http/content_coding.cc", "bench/vexbench/histogram_encode.cc"]),
    (r"spdlog/.*", ["tools/server/log.cc"]),
    (r"fmt/.*", ["net/rest/", "tools/", "bench/"]),
    (r"yaml-cpp/.*", ["tools/server/config.cc", "bench/vexbench/yaml_map.h"]),
    (r"CLI/.*", ["tools/server/", "bench/vexbench/main.cc"]),
    (r"hdf5\.h", ["bench/vexbench/vector_file_hdf5.cc"]),
    (r"(spawn|strings)\.h", ["bench/vexbench/"]),
    (r"benchmark/.*", ["bench/"]),
    (r"(gtest|gmock)/.*", ["tests/"]),
    (r"[a-z]*mmintrin\.h", ["kernel/engine/", "core/database/rescore.cc", "core/payload/walk.cc",
                            "bench/engine/distance_bench.cc"]),
    (r"cpuid\.h", ["ioctl/"]),
    (r"malloc\.h", ["core/io/process_statistics.cc"]),
    (r"std(bool|def|int)\.h|asm/errno\.h|linux/(errno|string|types)\.h", ["kernel/"]),
    (r"linux/.*", ["kernel/module/", "core/io/", "ioctl/"]),
    (r"(sys/|netinet/|arpa/).*", ["core/io/", "net/http/", "ioctl/", "tools/", "tests/", "bench/"]),
    (r"(unistd|fcntl|netdb|dirent|pthread|sched|signal|stdlib|poll)\.h",
     ["core/io/", "net/http/", "ioctl/", "tools/", "tests/", "bench/"]),
]

# Headers of the C++ library that a folder may do without, and what stands in their place. core runs
# whole on simulated disks and cores, so what reaches the system or blocks a thread is core/io's.
WITHOUT = [
    ("core/", "core/io/", r"fstream|filesystem|ctime|csignal", "files go through core/io/storage.h"),
    ("core/", "core/io/", r"thread|mutex|shared_mutex|condition_variable|semaphore|latch|barrier|future",
     "cores exchange work through core/io"),
    ("net/", None, r"thread|mutex|shared_mutex|condition_variable|semaphore|latch|barrier|future",
     "cores exchange work through core/io"),
    ("", None, r"iostream|regex|strstream|codecvt", "print with the log or fmt, scan with from_chars"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
LANGUAGE_HEADER = re.compile(r"^[a-z_]+$")


def folder_of(path):
    """The name in ARROWS that a path belongs to."""
    named = [name for name in ARROWS if path.startswith(name + "/")]
    return max(named, key=len, default=None)


def judge_own(tree, path, included):
    """What is wrong with including one of our files, or None."""
    if "/" not in included:  # the kernel's way: beside the file
        included = path.rsplit("/", 1)[0] + "/" + included
    if included not in tree.files:
        return f"there is no {included}"
    source, target = folder_of(path), folder_of(included)
    if source is None:
        return f"this folder has no line in ARROWS of {__name__.replace('.', '/')}.py"
    if target == source or any(f"{target}/".startswith(f"{name}/") for name in ARROWS[source]):
        return None
    allowed = ", ".join(ARROWS[source]) or "nothing else of ours"
    return f"{source} may not include {target or included} (it may include {allowed})"


def judge_outside(path, included):
    for without, but, pattern, instead in WITHOUT:
        if path.startswith(without) and not (but and path.startswith(but)):
            if re.fullmatch(pattern, included) and not path.startswith(("tests/", "bench/")):
                return f"<{included}> is not used here: {instead}"
    if LANGUAGE_HEADER.match(included):
        return None
    for pattern, places in OUTSIDE:
        if re.fullmatch(pattern, included):
            if any(path.startswith(place) for place in places):
                return None
            return f"<{included}> belongs to {', '.join(places)}"
    return f"<{included}> has no line in OUTSIDE of {__name__.replace('.', '/')}.py"


def check(tree):
    for path in tree.sources():
        text = tree.text(path)
        for line, found in matches(text, INCLUDE):
            own, outside = found.groups()
            wrong = judge_own(tree, path, own) if own else judge_outside(path, outside)
            if wrong:
                yield Finding(path, line, wrong)
