# SPDX-License-Identifier: Apache-2.0
"""The commands of the README before they build anything: help, refusals, what they name as missing."""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest

COMMANDS = ["build", "run", "test"]


def call(root, name, *arguments, **environment):
    return subprocess.run([root / "tools" / name, *arguments], capture_output=True, text=True, check=False,
                          env=os.environ | environment, timeout=120)


def program(path, text):
    path.write_text("#!/usr/bin/env bash\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def copied(root, tmp_path):
    """A tree with our scripts in it and nothing to build; its PATH has only what `given` puts there."""
    shutil.copytree(root / "tools", tmp_path / "tools")
    shutil.copy(root / "CMakePresets.json", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_tells_usage_and_options(root, name, option):
    done = call(root, name, option)
    assert done.returncode == 0
    assert done.stdout.startswith(f"tools/{name} ")
    assert "--help" in done.stdout
    assert "set -euo" not in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_argument_is_refused_by_its_name(root, name):
    done = call(root, name, "--nonsense")
    assert done.returncode == 1
    assert "--nonsense" in done.stderr
    assert "--help" in done.stderr


def test_an_unknown_preset_is_refused_with_those_there_are(root):
    done = call(root, "build", "fastest")
    assert done.returncode == 1
    assert "fastest" in done.stderr
    assert "release" in done.stderr


@pytest.mark.parametrize("arguments", [["--jobs"], ["--jobs", "many"], ["--jobs", "0"]])
def test_a_number_of_jobs_that_is_none_is_refused(root, arguments):
    done = call(root, "build", *arguments)
    assert done.returncode == 1
    assert "--jobs" in done.stderr


def test_an_unknown_stage_is_refused_by_its_name(root):
    done = call(root, "test", "--only", "nonsense")
    assert done.returncode == 1
    assert "no stage 'nonsense'" in done.stderr
    assert "--list" in done.stderr


def test_every_stage_that_is_listed_has_a_function(root):
    text = (root / "tools/test").read_text()
    for stage in call(root, "test", "--list").stdout.split():
        assert f"\nstage_{stage}() {{" in text


def test_packages_that_are_missing_and_cannot_be_installed_are_named(copied):
    (copied / "tools/packages.txt").write_text("build no-such-package-at-all\n")
    program(copied / "apt-get", "echo 'E: Unable to locate package' >&2; exit 100\n")
    done = call(copied, "build", PATH=f"{copied}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "no-such-package-at-all" in done.stderr


def test_without_root_and_sudo_the_command_that_needs_them_is_named(copied):
    (copied / "tools/packages.txt").write_text("build no-such-package-at-all\n")
    program(copied / "id", "echo 1000\n")
    done = call(copied, "build", PATH=f"{copied}:{without(copied, 'sudo')}")
    assert done.returncode == 1
    assert "no sudo" in done.stderr
    assert "apt-get" in done.stderr


def test_a_user_installs_with_sudo(copied):
    (copied / "tools/packages.txt").write_text("build no-such-package-at-all\n")
    program(copied / "id", "echo 1000\n")
    program(copied / "sudo", f"echo \"$@\" >> {copied}/asked\n")
    call(copied, "build", "nonsense", PATH=f"{copied}:{os.environ['PATH']}")
    asked = (copied / "asked").read_text().splitlines()
    assert asked[0].startswith("apt-get update")
    assert " install " in asked[1] and asked[1].endswith("no-such-package-at-all")


def test_on_another_system_the_list_of_packages_is_named(copied):
    done = call(copied, "build", PATH=without(copied, "dpkg-query"))
    assert done.returncode == 1
    assert "tools/packages.txt" in done.stderr


def without(folder, absent):
    """A PATH with everything of the usual one but one program."""
    there = folder / "bin"
    there.mkdir()
    for place in os.environ["PATH"].split(":"):
        for path in sorted(pathlib.Path(place).glob("*")):
            if path.name != absent and not (there / path.name).exists():
                (there / path.name).symlink_to(path)
    return str(there)


@pytest.fixture
def staged(copied):
    """staged(text of a stage): tools/test with the one stage `lint`, made of that text."""
    def make(body, seconds_max=60):
        path = copied / "tools/test"
        text = path.read_text()
        start = text.index("stage_lint() {")
        end = text.index("\n", start)
        text = text[:start] + f"stage_lint() {{\n{body}\n}}" + text[end:]
        assert "seconds_max=$((35 * 60))" in text
        path.write_text(text.replace("seconds_max=$((35 * 60))", f"seconds_max={seconds_max}"))
        (copied / "tools/packages.txt").write_text("")
        # An environment that is up to date: the tally needs no package.
        (copied / "build/venv/bin").mkdir(parents=True)
        (copied / "build/venv/bin/python").symlink_to(sys.executable)
        wanted = hashlib.sha256((copied / "tools/requirements.txt").read_bytes()).hexdigest()
        (copied / "build/venv/.installed").write_text(wanted + "\n")
        return copied
    return make


def test_a_stage_is_named_with_its_outcome_and_its_time(staged):
    done = call(staged("true"), "test", "--only", "lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^== lint ok, \d+ s$", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed"


def test_a_failed_stage_shows_its_output_and_fails_the_run(staged):
    done = call(staged("echo why it failed; false"), "test", "--only", "lint")
    assert done.returncode == 1
    assert "why it failed" in done.stdout
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"


def test_a_stage_that_hangs_is_ended_with_what_it_started(staged):
    folder = staged("bash -c 'echo $$ > hung; sleep 1000' & wait", seconds_max=1)
    done = call(folder, "test", "--only", "lint")
    assert done.returncode == 1
    assert "out of time after" in done.stdout
    deadline = time.monotonic() + 30
    while pathlib.Path(f"/proc/{int((folder / 'hung').read_text())}").exists():
        assert time.monotonic() < deadline, "what the stage started is still there"
        time.sleep(0.01)


def test_an_interrupted_run_ends_what_it_started(staged):
    folder = staged("echo $BASHPID > hung; sleep 1000 & wait")
    process = subprocess.Popen([folder / "tools/test", "--only", "lint"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (folder / "hung").exists() or not (folder / "hung").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    while pathlib.Path(f"/proc/{int((folder / 'hung').read_text())}").exists():
        assert time.monotonic() < deadline, "the stage is still there"
        time.sleep(0.01)


@pytest.fixture
def ready(copied):
    """A tree whose build is done: the server is a program that prints how it was called."""
    program(copied / "tools/build", "echo \"built $*\"\n")
    (copied / "build/release").mkdir(parents=True)
    program(copied / "build/release/vexfs-qdrant",
            "printf '<%s>' \"$@\"; echo \" $QDRANT__SERVICE__HOST $QDRANT__STORAGE__STORAGE_PATH\"; exit 7\n")
    return copied


def test_run_builds_passes_arguments_on_and_ends_as_the_server_does(ready):
    done = call(ready, "run", "--", "--config-path", "a file.yaml")
    assert done.returncode == 7
    assert done.stdout.splitlines()[0] == "built release vexfs-qdrant"
    assert done.stdout.splitlines()[-1] == "<--config-path><a file.yaml> 127.0.0.1 ./storage"


def test_run_leaves_host_and_storage_to_variables_that_are_set(ready):
    done = call(ready, "run", QDRANT__SERVICE__HOST="0.0.0.0", QDRANT__STORAGE__STORAGE_PATH="/tmp/elsewhere")
    assert done.stdout.splitlines()[-1] == "<> 0.0.0.0 /tmp/elsewhere"
