# SPDX-License-Identifier: Apache-2.0
"""Each rule finds what it is for in a tree made to break it, and nothing in one that does not."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from checks import builds, chapters, formatting, headers, hot_files, includes, licences, scripts, sizes, tidy, words


def found(check, tree):
    """What a rule finds, as {path: [texts]}."""
    by_path = {}
    for finding in check(tree):
        by_path.setdefault(finding.path, []).append(finding.text)
    return by_path


def test_the_program_prints_findings_and_fails(tree_of, root):
    tree = tree_of({"core/base/x.h": "// SPDX-License-Identifier: GPL-2.0\n"})
    done = subprocess.run([sys.executable, root / "tools/lint.py", "--root", tree.root, "--only", "licences"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "core/base/x.h:1: its first lines must name the licence Apache-2.0" in done.stdout


def test_an_unknown_rule_is_refused(root):
    done = subprocess.run([sys.executable, root / "tools/lint.py", "--only", "nonsense"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize("source, target", [
    ("kernel/uapi/a.h", "kernel/engine/b.h"),
    ("kernel/engine/a.c", "kernel/module/b.h"),
    ("kernel/engine/a.c", "core/base/b.h"),
    ("core/base/a.h", "core/io/b.h"),
    ("core/io/a.h", "core/database/b.h"),
    ("core/database/a.cc", "net/http/b.h"),
    ("core/filter/a.cc", "core/database/b.h"),
    ("net/http/a.cc", "net/rest/b.h"),
    ("net/rest/a.cc", "ioctl/b.h"),
    ("ioctl/a.cc", "net/http/b.h"),
    ("ioctl/a.cc", "kernel/module/b.h"),
    ("tools/server/a.cc", "tests/b.h"),
    ("bench/a.cc", "tests/b.h"),
])
def test_an_include_against_the_arrows_is_found(tree_of, source, target):
    tree = tree_of({source: f'#include "{target}"\n', target: ""})
    assert list(found(includes.check, tree)) == [source]


@pytest.mark.parametrize("source, target", [
    ("core/database/a.cc", "core/io/b.h"),
    ("net/rest/decode/a.cc", "core/model/b.h"),
    ("net/rest/a.cc", "net/http/b.h"),
    ("ioctl/embedded/a.cc", "kernel/engine/b.h"),
    ("tests/core/a.cc", "net/http/b.h"),
    ("bench/a.cc", "core/io/b.h"),
])
def test_an_include_along_the_arrows_is_not(tree_of, source, target):
    assert not found(includes.check, tree_of({source: f'#include "{target}"\n', target: ""}))


def test_includes_of_files_that_are_not_there_and_of_unknown_folders_are_found(tree_of):
    tree = tree_of({"core/io/a.h": '#include "core/io/gone.h"\n', "kernel/engine/a.c": '#include "gone.h"\n',
                    "attic/a.h": '#include "core/io/a.h"\n'})
    assert sorted(found(includes.check, tree)) == ["attic/a.h", "core/io/a.h", "kernel/engine/a.c"]


@pytest.mark.parametrize("path, header", [
    ("net/http/router.cc", "boost/beast/http.hpp"),
    ("core/payload/walk.cc", "boost/json/basic_parser_impl.hpp"),
    ("core/io/loop.cc", "liburing.h"),
    ("core/database/a.cc", "unistd.h"),
    ("core/database/a.cc", "sys/mman.h"),
    ("core/database/a.cc", "fstream"),
    ("core/database/a.cc", "thread"),
    ("net/rest/a.cc", "mutex"),
    ("net/rest/a.cc", "iostream"),
    ("kernel/engine/a.c", "stdio.h"),
    ("net/rest/a.cc", "somebody/elses.h"),
])
def test_a_header_from_outside_in_the_wrong_place_is_found(tree_of, path, header):
    assert list(found(includes.check, tree_of({path: f"#include <{header}>\n"}))) == [path]


@pytest.mark.parametrize("path, header", [
    ("net/http/parser.cc", "boost/beast/http/basic_parser.hpp"),
    ("core/io/ring.cc", "liburing.h"),
    ("core/io/loop.cc", "thread"),
    ("core/database/a.cc", "vector"),
])
def test_a_header_in_its_place_is_not(tree_of, path, header):
    assert not found(includes.check, tree_of({path: f"#include <{header}>\n"}))


@pytest.mark.parametrize("path, head, good", [
    ("core/a.h", "// SPDX-License-Identifier: Apache-2.0\n", True),
    ("core/a.h", "", False),
    ("core/a.h", "// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0\n", False),
    ("core/a.h", "// SPDX-License-Identifier: Apache-2.0\n" * 2, False),
    ("kernel/engine/a.h", "/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */\n", True),
    ("kernel/engine/a.c", "// SPDX-License-Identifier: Apache-2.0\n", False),
    ("kernel/module/a.c", "// SPDX-License-Identifier: GPL-2.0\n", True),
    ("kernel/module/a.c", "// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0\n", False),
    ("tools/a", "#!/usr/bin/env bash\n# SPDX-License-Identifier: Apache-2.0\n", True),
    ("tools/a", "#!/usr/bin/env bash\n", False),
    ("tools/a.py", "", False),
])
def test_every_source_names_its_folders_licence(tree_of, path, head, good):
    assert (path not in found(licences.check, tree_of({path: head}))) == good


def test_a_long_file_is_found_unless_it_is_frozen_and_a_frozen_one_only_shrinks(tree_of):
    long = "x\n" * (sizes.LINES_MAX + 10)
    tree = tree_of({"core/new.cc": long, "core/same.cc": long, "core/grown.cc": long + "x\n",
                    "core/shrunk.cc": long[:-4], "core/short.cc": "x\n", "README.md": "x\n" * 201,
                    sizes.FROZEN: "# comment\n" + "".join(
                        f"{sizes.LINES_MAX + 10} core/{name}.cc\n" for name in ("same", "grown", "shrunk", "short", "gone"))})
    texts = found(sizes.check, tree)
    assert "split it" in texts["core/new.cc"][0]
    assert "core/same.cc" not in texts
    assert "only shrink" in texts["core/grown.cc"][0]
    assert "lower that" in texts["core/shrunk.cc"][0]
    assert "need no line" in texts["core/short.cc"][-1]
    assert "no core/gone.cc" in texts[sizes.FROZEN][0]
    assert "first page" in texts["README.md"][0]


@pytest.mark.parametrize("path, text", [
    ("core/a.cc", "// TODO: later\n"),
    ("core/README.md", "a placeholder\n"),
    ("tools/a.sh", "cd /work/main\n"),
    ("core/a.h", "// see issue #12\n"),
    ("core/README.md", "as found in the last session\n"),
    ("core/a.h", "// no longer used\n"),
    ("core/a.h", "int embedding_count;\n"),
    ("core/a.cc", "int x = rand();\n"),
    ("tests/a.cc", "std::random_device seed;\n"),
    ("core/a.cc", "out << std::endl;\n"),
    ("core/a.cc", "int item_cnt = 0;\n"),
    ("core/a.cc", "int num_items = 0;\n"),
    ("core/a.cc", "assert(x);\n"),
    ("core/database/a.cc", "auto t = std::chrono::steady_clock::now();\n"),
    ("core/database/a.cc", "int fd = ::open(path, 0);\n"),
])
def test_a_banned_word_is_found(tree_of, path, text):
    assert list(found(words.check, tree_of({path: text}))) == [path]


@pytest.mark.parametrize("path, text", [
    ("core/a.cc", "const char* text = \"rand()\";\n"),
    ("core/a.cc", "// std::rand() is not used\n"),
    ("core/io/a.cc", "auto t = std::chrono::steady_clock::now();\n"),
    ("core/io/a.cc", "int fd = ::open(path, 0);\n"),
    ("core/a.cc", "VEXFS_ASSERT(x);\nstatic_assert(1);\n"),
    ("core/a.h", "std::uint64_t max_token_len;\n"),
])
def test_a_word_where_it_is_allowed_is_not(tree_of, path, text):
    assert not found(words.check, tree_of({path: text}))


def test_a_literal_with_digit_separators_does_not_hide_code(tree_of):
    tree = tree_of({"core/a.cc": "int x = 1'000; int y = rand(); int z = 1'000;\n"})
    assert list(found(words.check, tree)) == ["core/a.cc"]


@pytest.mark.parametrize("line", [
    "int* rows = new int[4];", "auto rows = std::make_unique<int>();", "std::vector<int> rows;",
    "virtual void run();", "std::function<void()> run;", "std::mutex lock;", "std::printf(\"\");", "throw 1;",
])
def test_each_ban_of_hot_files_is_found(tree_of, line):
    tree = tree_of({"core/database/rescore.cc": line + "\n", "core/database/database.cc": line + "\n"})
    assert list(found(hot_files.check, tree)) == ["core/database/rescore.cc"]


def test_placement_new_is_no_heap(tree_of):
    assert not found(hot_files.check, tree_of({"core/database/rescore.cc": "new (place) row;\n"}))


def chapter_tree(tree_of, readme, **more):
    return tree_of({"core/io/README.md": readme, "core/io/ring.h": "", "core/io/ring.cc": "", "core/io/loop.h": "",
                    "core/io/CMakeLists.txt": "", "core/README.md": "`io/`", **more})


def test_a_chapter_names_what_is_there_and_nothing_else(tree_of):
    assert not found(chapters.check, chapter_tree(tree_of, "| File | |\n|---|---|\n| `ring` | |\n\n`loop.h`"))


def test_a_chapter_that_forgets_a_file_or_names_one_that_is_gone_is_found(tree_of):
    texts = found(chapters.check, chapter_tree(tree_of, "`ring`, `timer.h`"))["core/io/README.md"]
    assert texts == ["does not name loop.h", "names timer.h, which is not there"]


def test_a_table_of_files_that_names_one_that_is_gone_is_found(tree_of):
    readme = "| File | |\n|---|---|\n| `ring`, `loop` | |\n| `timers` | |\n"
    assert found(chapters.check, chapter_tree(tree_of, readme)) == {
        "core/io/README.md": ["names timers, which is not there"]}


def test_a_folder_without_its_chapter_is_found(tree_of):
    tree = tree_of({"net/http/a.h": "", "core/README.md": ""})
    assert found(chapters.check, tree)["net/http"] == ["has no README.md, its chapter"]


def test_a_chapter_answers_for_folders_below_that_have_none(tree_of):
    tree = tree_of({"ioctl/README.md": "`embedded/`", "ioctl/embedded/cpu.cc": ""})
    assert found(chapters.check, tree) == {"ioctl/README.md": ["does not name embedded/cpu.cc"]}


def test_a_source_or_a_folder_that_nothing_compiles_is_found(tree_of):
    tree = tree_of({"CMakeLists.txt": "add_subdirectory(tests)  # lost\n", "tests/CMakeLists.txt": "vexfs_subdirectories(core)\n",
                    "tests/core/CMakeLists.txt": "vexfs_test(SOURCES kept_test.cc ../odd.cc)\n", "tests/core/kept_test.cc": "",
                    "tests/core/lost_test.cc": "", "lost/CMakeLists.txt": "add_library(x a.c)\n", "lost/a.c": ""})
    assert sorted(found(builds.check, tree)) == ["lost/CMakeLists.txt", "tests/core/lost_test.cc"]


FORMAT = "BasedOnStyle: Google\n"


def test_a_file_that_is_laid_out_otherwise_is_found(tree_of):
    tree = tree_of({".clang-format": FORMAT, "core/good.cc": "int x;\n", "core/bad.cc": "int  x ;\n",
                    "kernel/.clang-format": "UseTab: Always\nIndentWidth: 8\nAllowShortFunctionsOnASingleLine: None\n", "kernel/good.c": "int f(void) {\n\treturn 1;\n}\n",
                    "kernel/bad.c": "int f(void) {\n  return 1;\n}\n"})
    assert sorted(found(formatting.check, tree)) == ["core/bad.cc", "kernel/bad.c"]


def test_a_script_that_does_not_parse_or_that_shellcheck_dislikes_is_found(tree_of):
    head = "#!/usr/bin/env bash\n"
    tree = tree_of({"tools/good": head + "echo \"$1\"\n", "tools/cut": head + "if true; then\n",
                    "tools/loose.sh": head + "rm $1\n"})
    texts = found(scripts.check, tree)
    assert sorted(texts) == ["tools/cut", "tools/loose.sh"]
    assert "SC2086" in texts["tools/loose.sh"][0]


def test_a_header_that_needs_another_include_first_is_found_until_it_is_mended(tree_of):
    files = {"core/good.h": "#pragma once\n#include <cstdint>\nstd::uint8_t x();\n",
             "core/bad.h": "#pragma once\n#include \"core/good.h\"\nstd::string y();\n",
             "kernel/engine/bad.h": "int f(u8 x);\n"}
    assert sorted(found(headers.check, tree_of(files))) == ["core/bad.h", "kernel/engine/bad.h"]
    assert sorted(found(headers.check, tree_of(files))) == ["core/bad.h", "kernel/engine/bad.h"]
    assert not found(headers.check, tree_of({"core/good.h": "#pragma once\n#include <string>\n",
                                             "kernel/engine/bad.h": "int f(int x);\n"}))


def test_what_clang_tidy_finds_is_an_error(tree_of, root):
    source = "#include <vector>\nint f(std::vector<int> x) { auto y = std::move(x); return y.size() + x.size(); }\n"
    tree = tree_of({".clang-tidy": (root / ".clang-tidy").read_text(), "core/bad.cc": source, "core/good.cc": "int x;\n"})
    commands = [{"directory": str(tree.root), "file": str(tree.root / path), "command": f"g++ -std=c++23 -c {path}"}
                for path in ("core/bad.cc", "core/good.cc")]
    tree = tree_of({tidy.COMMANDS: json.dumps(commands)})
    texts = found(lambda tree: tidy.check(tree, everything=True), tree)
    assert list(texts) == ["core/bad.cc"]
    assert "bugprone-use-after-move" in texts["core/bad.cc"][0]


def test_clang_tidy_has_few_checks(root):
    checks = re.findall(r"^  ([a-z][\w-]+(?:\.\*)?),?$", (root / ".clang-tidy").read_text(), re.MULTILINE)
    assert 10 < len(checks) < 30


def test_without_commands_clang_tidy_names_what_to_run(tree_of, root):
    tree = tree_of({"core/a.cc": ""})
    done = subprocess.run([sys.executable, root / "tools/lint.py", "--root", tree.root, "--only", "tidy"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run tools/build --configure release" in done.stderr


def test_a_missing_tool_is_named(tree_of, root):
    tree = tree_of({"core/a.cc": ""})
    (tree.root / "git").symlink_to(shutil.which("git"))
    done = subprocess.run([sys.executable, root / "tools/lint.py", "--root", tree.root, "--only", "format"],
                          capture_output=True, text=True, check=False, env={"PATH": str(tree.root)})
    assert done.returncode == 2
    assert "clang-format-19 is not installed; tools/packages.txt" in done.stderr
