# SPDX-License-Identifier: Apache-2.0
"""Running the tools that judge files."""

import concurrent.futures
import hashlib
import os
import shutil
import subprocess


class MissingTool(Exception):
    """A program that a rule needs is not installed; the text names it."""


def run(command, **options):
    """(exit status, output of both kinds)."""
    if not shutil.which(command[0]):
        raise MissingTool(f"{command[0]} is not installed; tools/packages.txt names its package")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    return done.returncode, done.stdout


def for_all(job, items):
    """job(item) for all items, as many at once as there are processors; results in order."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(job, items))


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
