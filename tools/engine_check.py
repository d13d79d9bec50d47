#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""engine_check.py [--objects FOLDER] [--kbuild]: holds the engine's objects against what a kernel allows.

Without options: the objects of the release build. With --kbuild: compiles kernel/engine with the build
system of the installed kernel headers into build/kbuild, warnings as errors, and checks those objects.

  no arithmetic, comparison or conversion of floating point, no x87, no MMX, in any object
  vector registers only in the objects of the SIMD levels
  undefined symbols only of platform.h, other objects of the engine, memcpy, memmove, memset, memcmp
  no stack frame over 1 KB

Prints what it found, one line a finding, and exits 1 if there was anything."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ENGINE = ROOT / "kernel/engine"
RELEASE = ROOT / "build/release/kernel/engine/CMakeFiles/vexfs_engine.dir"
KBUILD = ROOT / "build/kbuild"

FRAME_BYTES_MAX = 1024
SIMD_OBJECT = re.compile(r"_(avx2|avx512)(\.c)?\.o$")
COMPILER_MAY_CALL = {"memcpy", "memmove", "memset", "memcmp"}
# What the kernel's own flags make the compiler call: tracing, stack canaries, returns that do not speculate.
KBUILD_MAY_CALL = re.compile(r"__fentry__|__stack_chk_fail|__x86_return_thunk|__x86_indirect_thunk_\w+")

# Instructions as objdump writes them. Moves, shuffles and bitwise forms of the same registers are no
# arithmetic and stay out of these lists.
FLOAT = re.compile(
    r"v?(add|sub|mul|div|sqrt|min|max|cmp\w*|u?comi|round|rndscale|rcp|rcp14|rcp28|rsqrt|rsqrt14|rsqrt28|dp|hadd|hsub|"
    r"addsub|range|reduce|scalef|getexp|getmant|fixupimm|fpclass|exp2|"
    r"fn?m(add|sub|addsub|subadd)(132|213|231)?|fc?m(add|ul)c?)(ss|sd|sh|ps|pd|ph)[xyz]?"
    r"|v?cvt\w+|vdpbf16ps|tdp(bf16|fp16)ps")
X87 = re.compile(r"f(?!s$|s:)\w+|fwait|emms")
MMX_REGISTER = re.compile(r"%mm[0-7]\b")
VECTOR_REGISTER = re.compile(r"%([xyz]mm\d+|k[0-7]|tmm\d)\b")
INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t(?:(?:lock|rep|repz|repnz|data16|bnd|notrack|cs|ds|es|fs|gs|ss) )*(\S+)\s*(.*)$")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
DECLARED = re.compile(r"^[a-z][\w \t*]*?\b(\w+)\([^;{]*\);", re.MULTILINE)


def output_of(*command):
    if not shutil.which(command[0]):
        sys.exit(f"engine_check.py: {command[0]} is not installed; tools/packages.txt names its package")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def judge_code(path):
    """What the instructions of an object break, once a function and rule."""
    is_simd = SIMD_OBJECT.search(path.name)
    function, seen = "?", set()
    for line in output_of("objdump", "--disassemble", "--no-show-raw-insn", path).splitlines():
        if found := FUNCTION.match(line):
            function = found[1]
        elif found := INSTRUCTION.match(line):
            name, operands = found.groups()
            broken = None
            if FLOAT.fullmatch(name):
                broken = "floating point"
            elif X87.fullmatch(name):
                broken = "x87"
            elif MMX_REGISTER.search(operands):
                broken = "MMX"
            elif not is_simd and VECTOR_REGISTER.search(operands):
                broken = "a vector register outside of the SIMD objects"
            if broken and (function, broken) not in seen:
                seen.add((function, broken))
                yield f"{path.name}: {function}: {broken}: {name} {operands}".rstrip()


def symbols(path, kinds):
    """Names that nm lists under one of these kinds."""
    lines = (line.split() for line in output_of("nm", path).splitlines())
    return {words[-1] for words in lines if len(words) > 1 and words[-2] in kinds}


def judge_symbols(paths, platform, may_call):
    defined = set().union(*(symbols(path, "TDRBVW") for path in paths))
    allowed = defined | platform | COMPILER_MAY_CALL
    for path in paths:
        for name in sorted(symbols(path, "U") - allowed):
            if not (may_call and may_call.fullmatch(name)):
                yield f"{path.name}: needs {name}, which platform.h does not offer"


def judge_frames(folder):
    """Frames by the compiler's own account: "FILE:LINE:COLUMN:FUNCTION<tab>BYTES<tab>KIND"."""
    accounts = sorted(folder.glob("*.su"))
    if not accounts:
        yield f"{folder}: no *.su files: the engine was compiled without -fstack-usage"
    for path in accounts:
        for line in path.read_text().splitlines():
            place, size, kind = line.split("\t")
            function = place.rsplit(":", 1)[-1]
            if int(size) > FRAME_BYTES_MAX:
                yield f"{path.name}: {function}: a stack frame of {size} bytes, at most {FRAME_BYTES_MAX}"
            if kind == "dynamic":
                yield f"{path.name}: {function}: a stack frame without bound"


def platform_functions(header):
    """The functions that platform.h declares."""
    return set(DECLARED.findall(header.read_text()))


def check(folder, platform, may_call=None):
    paths = sorted(folder.glob("*.o"))
    if not paths:
        yield f"{folder}: no objects: run tools/build release vexfs_engine"
        return
    for path in paths:
        yield from judge_code(path)
    yield from judge_symbols(paths, platform, may_call)
    yield from judge_frames(folder)


def kernel_headers():
    """The build folder of the newest installed kernel headers."""
    found = sorted(pathlib.Path("/usr/src").glob("linux-headers-*-amd64/Makefile"))
    if not found:
        sys.exit("engine_check.py: no kernel headers in /usr/src; tools/packages.txt names their package")
    return found[-1].parent


def compile_with_kbuild():
    """Object files only, from a copy: Kbuild writes beside its sources."""
    shutil.rmtree(KBUILD, ignore_errors=True)
    shutil.copytree(ENGINE, KBUILD, ignore=lambda folder, names: {
        name for name in names if not (name == "Kbuild" or name.endswith((".c", ".h")))})
    targets = sorted(path.with_suffix(".o").name for path in KBUILD.glob("*.c"))
    done = subprocess.run(["make", "-C", kernel_headers(), f"M={KBUILD}", "W=1", "CONFIG_DEBUG_INFO_BTF_MODULES=",
                           f"KCFLAGS=-Werror -fstack-usage -Wframe-larger-than={FRAME_BYTES_MAX}", *targets],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return [] if done.returncode == 0 else [done.stdout]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=pathlib.Path, default=RELEASE, help="a folder with other objects")
    parser.add_argument("--kbuild", action="store_true", help="compile with the kernel's build system and check that")
    given = parser.parse_args(arguments)
    platform = platform_functions(ENGINE / "platform.h")
    if given.kbuild:
        findings = compile_with_kbuild() or list(check(KBUILD, platform, KBUILD_MAY_CALL))
        folder = KBUILD
    else:
        findings = list(check(given.objects, platform))
        folder = given.objects
    for finding in findings:
        print(finding)
    print(f"-- {len(list(folder.glob('*.o')))} objects of {folder.name}: {len(findings) or 'nothing'} found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
