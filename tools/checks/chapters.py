# SPDX-License-Identifier: Apache-2.0
"""Each folder's README.md is its chapter: it names what is there, and nothing that is not."""

import re

from .tree import DATA, Finding, line_of

# Folders that must have a README.md of their own, with a pattern over folders that hold sources.
# Elsewhere the nearest README above answers for a folder.
OWN_CHAPTER = re.compile(r"^(bench|core|net|ioctl|kernel|tests|tools)$|^(core|net|kernel)/\w+$|^net/rest/decode$")

# Chapters that name folders, not the files in them.
COARSE = {""}

# Needs no mention: every folder has them, or they say of themselves what they are.
UNNAMED = {"README.md", "CMakeLists.txt", "__init__.py", "conftest.py", ".clang-format", ".gitignore"}

# What a chapter's text in `backticks` must name if it looks like this: a file of ours.
FILE_NAME = re.compile(r"^[\w./-]*\w\.(h|cc|c|py|sh|md|cmake)$")
QUOTED = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TABLE_ROW = re.compile(r"^\| *(`[^|]*`) *\|", re.MULTILINE)


def parents(path):
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        yield path
    yield ""


def children(tree, folder, chapters):
    """What the README of a folder has to name: its files and folders, and the files of folders that
    have no chapter of their own (not in tests/, which repeats the tree that it tests)."""
    prefix = folder + "/" if folder else ""
    for path in tree.files:
        if not path.startswith(prefix) or DATA.search(path) or path.rsplit("/", 1)[-1] in UNNAMED:
            continue
        inner = path[len(prefix):]
        if "/" not in inner:
            yield inner
            continue
        yield inner.split("/")[0] + "/"
        nearest = next(parent for parent in parents(path) if parent in chapters)
        if nearest == folder and folder not in COARSE and not folder.startswith("tests"):
            yield inner


def names(child):
    """The ways to name a child: its path, or its name, with or without an ending. x.h and x.cc are one."""
    if child.endswith("/"):
        return {child, child.rstrip("/")}
    stem = child.rsplit(".", 1)[0]
    return {start + ending for start in (stem, stem.rsplit("/", 1)[-1])
            for ending in ("", ".h", ".cc", ".c", "." + child.rsplit(".", 1)[-1])}


def words_of(text):
    """Everything in backticks, cut at what separates names."""
    for found in QUOTED.finditer(FENCED.sub(lambda block: "\n" * block.group().count("\n"), text)):
        for word in re.split(r"[,\s]+", found.group(1)):
            yield line_of(text, found.start()), word


def expand(word):
    """path.{h,cc} names two files."""
    found = re.fullmatch(r"(.*)\{([\w,]+)\}(.*)", word)
    return [found[1] + part + found[3] for part in found[2].split(",")] if found else [word]


def exists(tree, folder, word):
    """A file is named by its path from the folder, from the root, or by the end of its path."""
    known = tree.files
    prefix = folder + "/" if folder else ""
    return prefix + word in known or word in known or any(path.endswith("/" + word.lstrip("./")) for path in known)


def stands(tree, folder, word):
    """A file, several of one name and different endings, or a folder: below this one."""
    prefix = (folder + "/" if folder else "") + word.rstrip("/")
    return any(path == prefix or path.startswith((prefix + "/", prefix + ".")) for path in tree.files)


def check(tree):
    chapters = {path.removesuffix("README.md").rstrip("/") for path in tree.files
                if path == "README.md" or path.endswith("/README.md")}
    folders = {parent for path in tree.sources() for parent in parents(path)}
    for folder in sorted(folders - chapters):
        if OWN_CHAPTER.match(folder):
            yield Finding(folder, 0, "has no README.md, its chapter")
    for folder in sorted(chapters):
        readme = f"{folder}/README.md" if folder else "README.md"
        text = tree.text(readme)
        plain = FENCED.sub(lambda block: "\n" * block.group().count("\n"), text)
        named = {name for _, word in words_of(text) for name in expand(word)}
        for child in sorted(set(children(tree, folder, chapters))):
            if folder and not names(child) & named:
                yield Finding(readme, 0, f"does not name {child}")
        for line, word in words_of(text):
            for name in expand(word):
                if FILE_NAME.match(name) and not exists(tree, folder, name):
                    yield Finding(readme, line, f"names {name}, which is not there")
        for row in TABLE_ROW.finditer(plain):
            for found in QUOTED.finditer(row.group(1)):
                for word in re.split(r"[,\s]+", found.group(1)):
                    if is_table_of_files(plain, row.start()) and not all(
                            stands(tree, folder, name) for name in expand(word)):
                        yield Finding(readme, line_of(plain, row.start()), f"names {word}, which is not there")


def is_table_of_files(text, offset):
    """Whether the table around a row begins with a column of files or folders."""
    lines = text[:offset].splitlines()
    while len(lines) > 1 and lines[-2].startswith("|"):
        lines.pop()
    return bool(lines) and re.match(r"^\| *([Ff]iles?|[Ff]olders?) *\|", lines[-1]) is not None
