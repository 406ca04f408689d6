#!/usr/bin/env python3
"""Runs clang-tidy over the production sources that a build compiles, and remembers what was clean.

    clang_tidy.py BUILD_DIR [--jobs N] [FILE...]

A clean file is not checked again until it, a header of ours that it includes, its compile command,
.clang-tidy or clang-tidy itself changes.  Findings in tests are the compiler's and the reviewer's.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from check_layers import read_cmake_files, test_files
from cxx_text import SOURCE_ROOTS

ROOT = Path(__file__).resolve().parent.parent
OURS = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)


@cache
def closure(path: Path) -> frozenset[Path]:
    """`path` and every file of ours that it includes, directly or not."""
    found, todo = set(), [path]
    while todo:
        at = todo.pop()
        if at in found or not at.exists():
            continue
        found.add(at)
        todo += [ROOT / name for name in OURS.findall(at.read_text())]
    return frozenset(found)


def fingerprint(entry: dict, tool: str) -> str:
    digest = hashlib.sha256(tool.encode())
    digest.update(entry["command"].encode())
    for path in sorted(closure(Path(entry["file"]))):
        digest.update(f"{path}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def entries(build: Path, wanted: list[Path]) -> list[dict]:
    """One compile command per production source."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["file"])
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in SOURCE_ROOTS:
            found.setdefault(path.relative_to(ROOT).as_posix(), entry)
    skipped = test_files(list(found), read_cmake_files(ROOT))
    return [
        entry
        for path, entry in sorted(found.items())
        if path not in skipped and (not wanted or ROOT / path in wanted)
    ]


def check(entry: dict, build: Path) -> tuple[bool, str]:
    command = ["clang-tidy", "--quiet", "-p", str(build), entry["file"]]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode == 0, result.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    build = options.build.resolve()

    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    tool = version.decode() + (ROOT / ".clang-tidy").read_text()
    memory = build / "clang_tidy.clean"
    clean = set(memory.read_text().split()) if memory.exists() else set()

    prints = {fingerprint(e, tool): e for e in entries(build, [f.resolve() for f in options.files])}
    todo = {key: entry for key, entry in prints.items() if key not in clean}
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for key, (ok, output) in zip(todo, pool.map(lambda e: check(e, build), todo.values())):
            if ok:
                clean.add(key)
                continue
            failed += 1
            print(output, end="")
    # Only what is current is kept, unless a part of the files was asked for.
    kept = clean if options.files else clean & prints.keys()
    memory.write_text("\n".join(sorted(kept)) + "\n")
    print(f"clang-tidy: {len(prints)} files, {len(todo)} checked now, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
