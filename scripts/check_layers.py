#!/usr/bin/env python3
"""Fails on an include, a word or a file that is where it may not be.

The tables are the rules (design: one-way dependencies, four seams).  Each finding is one line,
`file:line: rule: hint`.  Every rule has a test in check_layers_test.py.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from cxx_text import SOURCE_ROOTS, source_files, without_comments_and_literals

# Room -> rooms whose headers it may include, besides its own.
PURE_ROOMS = ("raft", "cluster", "protocol", "net")
MAY_INCLUDE = {
    "walrus/base": [],
    "walrus/env": ["walrus/base"],
    "walrus/wal": ["walrus/base", "walrus/env"],
    **{f"walrus/{room}": ["walrus/base"] for room in PURE_ROOMS},
    "walrus/raft_storage": ["walrus/base", "walrus/env", "walrus/wal", "walrus/raft"],
    "walrus/replica_store": [f"walrus/{room}" for room in ("base", "env", "wal", "cluster")],
    # A node of a cluster: drives the pure machines on a loop.
    "walrus/member": [
        *(f"walrus/{room}" for room in ("base", "env", "wal", "raft", "cluster", "net")),
        *("walrus/raft_storage", "walrus/replica_store"),
    ],
    "walrus/broker": [f"walrus/{room}" for room in ("base", "env", "wal", *PURE_ROOMS)],
    "walrus/cluster_broker": [
        *(f"walrus/{room}" for room in ("base", "cluster", "protocol", "net", "broker", "member")),
    ],
    "walrus/wal_tool": ["walrus/base", "walrus/wal"],
    # The programs' verbs on a log are the engine's own; only walrus/client/cli uses them.
    "walrus/client": ["walrus/base", "walrus/protocol", "walrus/net", "walrus/wal_tool"],
    "walrus/node": [
        *(f"walrus/{room}" for room in ("base", "env", "wal", "broker", "client", *PURE_ROOMS)),
        *("walrus/raft_storage", "walrus/replica_store", "walrus/member", "walrus/cluster_broker"),
    ],
    "walrus/testing": [
        *(
            f"walrus/{room}"
            for room in ("base", "env", "wal", "broker", "client", "node", *PURE_ROOMS)
        ),
        *("walrus/raft_storage", "walrus/replica_store", "walrus/member"),
    ],
    "harness": ["walrus/base"],
    "compare/walrus": [
        *("walrus/base", "walrus/env", "walrus/wal", "walrus/client", "harness"),
    ],
    "compare/rocksdb": ["walrus/base", "harness"],
    "compare/upstream": ["walrus/base", "harness"],
    "compare/kafka": ["walrus/base", "harness"],
}
TESTING = "walrus/testing"
TESTS = ("*_test.cc", "*_bench.cc", "*_fuzz.cc", "*/test_*", "*/bench_*")
MAINS = ("*/main.cc", "*_main.cc")  # Composition roots of programs.
HARNESS_MAIN = "harness/main.cc"  # The one file of harness/ that knows the drivers.
GENERATED_HEADERS = ("walrus/base/version.h",)

# Third-party header -> where it may be included.
LIBRARIES = {
    "asio": ("walrus/net/*",),
    "benchmark/": ("*_bench.cc", "*/bench_*"),
    "CLI/": (*MAINS, "harness/cli/*", "walrus/client/cli/*", "walrus/wal_tool/*"),
    "fmt/": (
        *(*MAINS, "walrus/base/*", "walrus/node/*", "walrus/client/*", "walrus/wal_tool/*"),
        *("harness/*", "compare/*"),
    ),
    "gmock/": ("*_test.cc", "walrus/testing/*"),
    "gtest/": ("*_test.cc", "walrus/testing/*"),
    "histedit": ("walrus/client/cli/*",),
    "httplib": ("walrus/node/*", "walrus/client/cli/*", "*_test.cc"),
    "isa-l": ("walrus/base/*",),
    "librdkafka/": ("walrus/client/*", "compare/kafka/*", "*_test.cc"),
    "liburing": ("walrus/env/*",),
    "lz4": ("walrus/protocol/*",),
    "nlohmann/": (
        *(*MAINS, "*_test.cc", "harness/*", "compare/*"),
        *("walrus/node/*", "walrus/client/*", "walrus/wal_tool/*"),
    ),
    "openssl/": ("harness/report/*",),
    "rocksdb/": ("compare/rocksdb/*",),
    "snappy": ("walrus/protocol/*",),
    "toml++/": ("harness/scenario/*", "walrus/node/*"),
    "xxhash": ("walrus/cluster/*",),
    "yaml-cpp/": ("harness/scenario/*",),
    "zlib": ("walrus/protocol/*",),
    "zstd": ("walrus/protocol/*",),
}
SYSTEM_HEADER = re.compile(
    r"[a-z_0-9]+$"  # The C++ library.
    r"|(?:sys|linux|netinet|arpa|net)/[\w./-]+\.h$"
    r"|(?:dirent|dlfcn|errno|fcntl|immintrin|netdb|poll|pthread|pwd|sched|semaphore|signal|spawn"
    r"|stdint|stdlib|string|sysexits|termios|time|ucontext|unistd|x86intrin|glob|getopt)\.h$"
)


class Word(NamedTuple):
    rule: str
    pattern: re.Pattern
    hint: str
    where: tuple[str, ...] = ("*",)
    allowed: tuple[str, ...] = ()


WORDS = (
    Word(
        "clock",
        re.compile(
            r"\bchrono::(?:system|steady|high_resolution)_clock\b"
            r"|(?<![\w:])(?:system|steady|high_resolution)_clock::"
            r"|\b(?:clock_gettime|gettimeofday)\s*\("
            r"|(?<![\w.>:])time\s*\(\s*(?:nullptr|NULL|0)\s*\)"
        ),
        "take a walrus::Clock (base/clock.h)",
        allowed=("walrus/base/clock.cc", "walrus/base/mutex.h", "harness/metrics/*"),
    ),
    Word(
        "entropy",
        re.compile(
            r"\bstd::s?rand\b|(?<![\w.>:])s?rand\s*\(|\brandom_device\b|\bmt19937|\bgetrandom\s*\("
        ),
        "take a walrus::Random (base/random.h)",
        allowed=("walrus/base/random.cc",),
    ),
    Word(
        "environment",
        re.compile(r"\b(?:secure_)?getenv\b"),
        "pass an option; only main.cc files and Options::from_environment() read the environment",
        allowed=(*MAINS, "walrus/wal/options.cc", "walrus/testing/seed.*"),
    ),
    Word(
        "disk",
        re.compile(
            r"(?<![\w)>])::(?:open|openat|read|write|rename|unlink|mkdir|ftruncate|mmap)\s*\("
            r"|(?<![\w.>])(?:fsync|fdatasync|syncfs|msync|sync_file_range|posix_fallocate|fallocate"
            r"|p(?:read|write)(?:v2?|64)?)\s*\("
        ),
        "go through env::Env and env::File (env/env.h)",
        where=("walrus/*",),
        # A test that kills its child talks to it through a pipe.
        allowed=("walrus/env/*", "walrus/testing/sim_*", "walrus/wal/kill_*"),
    ),
    Word(
        "sleep",
        re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\("),
        "wait for the event, or advance a simulated clock",
        where=("walrus/*", "*_test.cc"),
    ),
    Word(
        "asio",
        re.compile(r"\basio::"),
        "frames are moved by walrus/net; take a Transport",
        allowed=("walrus/net/*",),
    ),
    Word("endl", re.compile(r"\bstd::endl\b"), "write '\\n'; flush where it matters"),
)
LEFT_OVER = re.compile(r"\bFIX" r"ME\b")  # Also in comments.

TEST_SECTIONS = (
    *(("walrus_room", keyword) for keyword in ("TESTS", "BENCHES", "FUZZERS")),
    ("walrus_test", "SOURCES"),
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.MULTILINE)
CMAKE_CALL = re.compile(r"\b(\w+)\s*\(([^()]*)\)")
CMAKE_KEYWORD = re.compile(r"[A-Z_]+$")


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    hint: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.hint}"


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def room_of(path: str) -> str | None:
    """'walrus/env' for walrus/env/env.h, 'harness' for everything there; None: no room of ours."""
    parts = path.split("/")
    for room in (parts[0], "/".join(parts[:2])):
        if room in MAY_INCLUDE and len(parts) > room.count("/") + 1:
            return room
    return None


# --- includes ---


def check_include(path: str, target: str, tests: set[str]) -> str | None:
    """What is wrong with `path` including the project header `target`, or None."""
    here, there = room_of(path), room_of(target)
    if target in tests and path not in tests:
        return f'"{target}" belongs to tests (CMakeLists.txt builds it into one)'
    if here is None:
        return f"'{path}' is in no room; the rooms are the table in check_layers.py"
    if there is None:
        return f'"{target}" is in no room; include from the project root, libraries with <>'
    if there == here:
        return None
    if there == TESTING:
        return None if path in tests else "testing/ is for tests, benches and fuzzers only"
    if there in MAY_INCLUDE[here]:
        return None
    if path == HARNESS_MAIN and there.startswith("compare/"):
        return None
    known = ", ".join(MAY_INCLUDE[here]) or "no other room"
    return f"{here} may not know {there} (it may know: {known})"


def check_library(path: str, target: str, public: bool) -> str | None:
    """What is wrong with `path` including <target>, or None."""
    if SYSTEM_HEADER.match(target):
        return None
    allowed = next((LIBRARIES[name] for name in LIBRARIES if target.startswith(name)), None)
    if allowed is None:
        return f"<{target}> is new here: add it to LIBRARIES in check_layers.py with its place"
    if not matches(path, allowed):
        return f"<{target}> may be included in: {', '.join(allowed)}"
    if public and path.startswith("walrus/") and room_of(path) != TESTING:
        return f"<{target}> in a public header reaches every user; hide it in the .cc"
    return None


def check_private(path: str, target: str, public: set[str]) -> str | None:
    """What is wrong with `path` including `target` when it is a header its room keeps to itself."""
    folder, generated = target.rpartition("/")[0], target in GENERATED_HEADERS
    if target in public or generated or room_of(target) is None:
        return None
    if path in public:
        return f'"{target}" is not among the HEADERS of its room, so it is not installed'
    if not path.startswith(folder + "/"):
        return f'"{target}" is not among the HEADERS of {folder}: it is private there'
    return None


def check_includes(
    path: str, text: str, public: set[str], tests: set[str]
) -> Iterator[Finding]:
    for match in INCLUDE.finditer(text):
        quote, target = match.groups()
        line = line_of(text, match.start(1))
        if quote == '"':
            if hint := check_include(path, target, tests):
                yield Finding(path, line, "include", hint)
            elif hint := check_private(path, target, public):
                yield Finding(path, line, "private", hint)
        elif hint := check_library(path, target, path in public):
            yield Finding(path, line, "library", hint)


def harness_part(path: str) -> str | None:
    """'harness/driver' for files there; None for main.cc and all other rooms."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "harness" and len(parts) > 2 else None


def check_cycles(texts: dict[str, str], tests: set[str]) -> Iterator[Finding]:
    """The parts of the harness have no table; they must only not depend on each other in a ring."""
    uses: dict[str, dict[str, tuple[str, int]]] = {}
    for path, text in texts.items():
        part = harness_part(path)
        if part is None or path in tests:
            continue
        for match in INCLUDE.finditer(text):
            target = harness_part(match[2])
            if target and target != part:
                place = (path, line_of(text, match.start(1)))
                uses.setdefault(part, {}).setdefault(target, place)

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        seen.add(start)
        return start == goal or any(
            reaches(after, goal, seen) for after in uses.get(start, {}) if after not in seen
        )

    for part, targets in sorted(uses.items()):
        for target, (path, line) in sorted(targets.items()):
            if reaches(target, part, set()):
                yield Finding(path, line, "ring", f"{target} depends on {part} already")


# --- words ---


def check_words(path: str, text: str) -> Iterator[Finding]:
    code = without_comments_and_literals(text)
    for word in WORDS:
        if not matches(path, word.where) or matches(path, word.allowed):
            continue
        for match in word.pattern.finditer(code):
            found = match.group().strip().rstrip("(")
            hint = f"'{found}': {word.hint}"
            yield Finding(path, line_of(code, match.start()), word.rule, hint)


def check_left_overs(path: str, text: str) -> Iterator[Finding]:
    for match in LEFT_OVER.finditer(text):
        yield Finding(path, line_of(text, match.start()), "left-over", "finish it or open an issue")


# --- what CMake builds ---


class CMakeFile(NamedTuple):
    path: str
    folder: str
    calls: list[tuple[str, list[str], int]]  # Name, arguments, line.

    @staticmethod
    def read(root: Path, path: Path) -> "CMakeFile":
        text = re.sub(r"#[^\n]*", "", (root / path).read_text())
        calls = [
            (match[1], match[2].split(), line_of(text, match.start()))
            for match in CMAKE_CALL.finditer(text)
        ]
        return CMakeFile(path.as_posix(), path.parent.as_posix(), calls)

    def names(self, path: str) -> bool:
        inside = path.removeprefix(self.folder + "/")
        return any(inside in arguments for _, arguments, _ in self.calls)

    def arguments_after(self, function: str, keyword: str) -> Iterator[str]:
        """Arguments of `function` that stand in the section of `keyword`."""
        for name, arguments, _ in self.calls:
            section = ""
            for argument in arguments if name == function else ():
                if CMAKE_KEYWORD.match(argument):
                    section = argument
                elif section == keyword:
                    yield argument


def read_cmake_files(root: Path) -> list[CMakeFile]:
    found = [path for top in SOURCE_ROOTS for path in (root / top).rglob("CMakeLists.txt")]
    return [CMakeFile.read(root, path.relative_to(root)) for path in sorted(found)]


def public_headers(cmake_files: list[CMakeFile]) -> set[str]:
    return {
        f"{cmake.folder}/{header}"
        for cmake in cmake_files
        for header in cmake.arguments_after("walrus_room", "HEADERS")
    }


def test_files(paths: list[str], cmake_files: list[CMakeFile]) -> set[str]:
    """Tests, benches and fuzzers, and what only they are built from, with its headers."""
    built = {
        f"{cmake.folder}/{source}".rpartition(".")[0]
        for cmake in cmake_files
        for function, keyword in TEST_SECTIONS
        for source in cmake.arguments_after(function, keyword)
    }
    return {path for path in paths if matches(path, TESTS) or path.rpartition(".")[0] in built}


def check_built(paths: list[str], cmake_files: list[CMakeFile]) -> Iterator[Finding]:
    """A test that nobody builds proves nothing.  (A header that nobody names is private.)"""
    for path in paths:
        if path.endswith(".h"):
            continue
        above = [cmake for cmake in cmake_files if path.startswith(cmake.folder + "/")]
        if not any(cmake.names(path) for cmake in above):
            yield Finding(path, 1, "not-built", "no CMakeLists.txt above names this file")


def check_added(cmake_files: list[CMakeFile]) -> Iterator[Finding]:
    """A folder's CMakeLists.txt counts only when the one above adds the folder."""
    for cmake in cmake_files:
        if any(name == "project" for name, _, _ in cmake.calls):
            continue  # A project of its own, such as the package's consumer.
        above = [
            other
            for other in cmake_files
            if other is not cmake and cmake.folder.startswith(other.folder + "/")
        ]
        if not above:
            continue  # Added by the project's own CMakeLists.txt.
        folder = cmake.folder.removeprefix(above[-1].folder + "/")
        added = (args for name, args, _ in above[-1].calls if name == "add_subdirectory")
        if not any(folder in args for args in added):
            hint = f"{above[-1].path} does not add_subdirectory({folder})"
            yield Finding(cmake.path, 1, "not-built", hint)


def check_links(cmake_files: list[CMakeFile]) -> Iterator[Finding]:
    """Production libraries never link testing."""
    for cmake in cmake_files:
        if cmake.folder == TESTING:
            continue
        for keyword in ("DEPS", "PRIVATE_DEPS"):
            if "walrus::testing" in cmake.arguments_after("walrus_room", keyword):
                yield Finding(cmake.path, 1, "link", "walrus::testing belongs into TEST_DEPS")


# --- all of it ---


def check(root: Path) -> list[Finding]:
    cmake_files = read_cmake_files(root)
    public = public_headers(cmake_files)
    texts = {path.as_posix(): (root / path).read_text() for path in source_files(root)}
    tests = test_files(list(texts), cmake_files)

    # The consumer is a stranger to the project: it includes what is installed.
    consumers = tuple(
        cmake.folder + "/*"
        for cmake in cmake_files
        if any(name == "project" for name, _, _ in cmake.calls)
    )
    findings = []
    for path, text in texts.items():
        if not matches(path, consumers):
            findings += check_includes(path, text, public, tests)
        findings += check_words(path, text)
        findings += check_left_overs(path, text)
    for cmake in cmake_files:
        findings += check_left_overs(cmake.path, (root / cmake.path).read_text())
    findings += check_cycles(texts, tests)
    findings += check_built(list(texts), cmake_files)
    findings += check_added(cmake_files)
    findings += check_links(cmake_files)
    return sorted(findings)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    findings = check(parser.parse_args().root)
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
