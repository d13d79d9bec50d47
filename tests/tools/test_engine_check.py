# SPDX-License-Identifier: Apache-2.0
"""The check of the engine's objects finds each thing that a kernel does not allow."""

import subprocess
import sys

import engine_check
import pytest

PLATFORM = {"vexfs_alloc", "vexfs_free"}
GENERAL = ["-mgeneral-regs-only"]


@pytest.fixture
def findings(tmp_path):
    """findings({name of object: C text}, flags): what the check says of them."""
    def make(sources, flags=()):
        for name, text in sources.items():
            subprocess.run(["gcc", "-x", "c", "-O2", "-ffreestanding", "-fno-stack-protector", "-fstack-usage", *flags, "-c",
                            "-", "-o", tmp_path / name], input=text, text=True, check=True)
        return list(engine_check.check(tmp_path, PLATFORM))
    return make


def test_integers_and_what_the_platform_offers_are_fine(findings):
    assert not findings({
        "a.o": "void *vexfs_alloc(unsigned long); int helper(int); int f(int x) { return vexfs_alloc(8) ? helper(x) : x; }",
        "b.o": "struct big { char x[4096]; }; void g(struct big *a, struct big *b) { *a = *b; } int helper(int x) { return x; }",
    }, GENERAL)


@pytest.mark.parametrize("flags", [[], ["-mavx2"]])
@pytest.mark.parametrize("expression", ["x + y", "x * y", "x / y", "x < y", "(float)(int)x", "(float)(double)y + x"])
@pytest.mark.parametrize("name", ["a.o", "dot_avx2.o"])
def test_floating_point_is_found_even_in_simd_objects(findings, expression, flags, name):
    found = findings({name: f"float f(float x, float y) {{ return {expression}; }}"}, flags)
    assert any("floating point" in text for text in found)
    assert all(text.startswith(f"{name}: f: ") for text in found)


def test_packed_floating_point_is_found(findings):
    assert any("floating point" in text for text in findings({"dot_avx512.o": """
        #include <immintrin.h>
        __m512 f(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }"""}, ["-mavx512f", "-D_MM_MALLOC_H_INCLUDED"]))


def test_x87_is_found(findings):
    assert any("x87" in text for text in findings({"dot_avx2.o": "long double f(long double x) { return -x; }"}))


def test_mmx_is_found(findings):
    assert any("MMX" in text for text in findings({"dot_avx2.o": "void f(void) { __asm__(\"paddb %mm0, %mm1\"); }"}))


INTEGER_VECTOR = """
#include <immintrin.h>
__m256i f(__m256i a, __m256i b) { return _mm256_castps_si256(_mm256_xor_ps(_mm256_castsi256_ps(
    _mm256_madd_epi16(a, b)), _mm256_castsi256_ps(_mm256_shuffle_epi32(a, 0x4e)))); }
"""


def test_integer_vectors_belong_into_simd_objects_only(findings):
    flags = ["-mavx2", "-D_MM_MALLOC_H_INCLUDED"]
    assert findings({"dot_avx2.o": INTEGER_VECTOR}, flags) == []
    assert ["a vector register outside of the SIMD objects" in text
            for text in findings({"scan.o": INTEGER_VECTOR}, flags)] == [True]


def test_a_function_that_the_platform_does_not_offer_is_found(findings):
    assert findings({"a.o": "int printf(const char *, ...); void f(void) { printf(\"\"); }"}, GENERAL) == [
        "a.o: needs printf, which platform.h does not offer"]


def test_a_division_that_needs_the_compilers_library_is_found(findings):
    found = findings({"a.o": "unsigned __int128 f(unsigned __int128 x, unsigned __int128 y) { return x / y; }"}, GENERAL)
    assert found == ["a.o: needs __udivti3, which platform.h does not offer"]


@pytest.mark.parametrize("size, good", [(512, True), (2048, False)])
def test_a_large_stack_frame_is_found(findings, size, good):
    found = findings({"a.o": f"void g(char *); void f(void) {{ char x[{size}]; g(x); }}",
                      "b.o": "void g(char *x) { *x = 0; }"}, GENERAL)
    assert (not found) == good


def test_a_stack_frame_without_bound_is_found(findings):
    found = findings({"a.o": "void g(char *); void f(int n) { char x[n]; g(x); }",
                      "b.o": "void g(char *x) { *x = 0; }"}, GENERAL)
    assert found == ["a.su: f: a stack frame without bound"]


def test_a_folder_without_objects_or_accounts_of_frames_is_no_success(findings, tmp_path, root):
    assert "no objects" in list(engine_check.check(tmp_path, PLATFORM))[0]
    subprocess.run(["gcc", "-x", "c", "-c", "-", "-o", tmp_path / "a.o"], input="int x;", text=True, check=True)
    assert "-fstack-usage" in findings({})[0]
    done = subprocess.run([sys.executable, root / "tools/engine_check.py", "--objects", tmp_path],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1


def test_the_platforms_functions_are_read_from_its_header(root):
    assert {"vexfs_alloc", "vexfs_free"} <= engine_check.platform_functions(root / "kernel/engine/platform.h")
