# SPDX-License-Identifier: Apache-2.0
"""The rules of tools/lint.py. Each module has its table on top and one function, check(tree), that
yields findings; it reads the tree it is given and nothing else, so a test can hand it a bad one."""
