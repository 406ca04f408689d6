"""Every rule of check_layers.py fires, and fires only where it should."""

import re
import tempfile
import unittest
from pathlib import Path

import check_layers


def findings(files: dict[str, str], cmake: bool = True) -> list[str]:
    """`path:line: rule` of every finding in a project of these files.

    With `cmake`, every folder gets the CMakeLists.txt that it needs, unless it is among `files`.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in files.items():
            write(root / path, text)
            for target in re.findall(r'#include "(.*/.*)"', text):
                if not (root / target).exists() and target not in files:
                    write(root / target, "")
        if cmake:
            add_cmake_files(root)
        return [f"{f.path}:{f.line}: {f.rule}" for f in check_layers.check(root)]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def add_cmake_files(root: Path) -> None:
    for folder in {path.parent for path in root.rglob("*.*") if path.suffix in (".h", ".cc")}:
        headers = " ".join(path.name for path in folder.glob("*.h"))
        sources = " ".join(path.name for path in folder.glob("*.cc"))
        if not (folder / "CMakeLists.txt").exists():
            write(folder / "CMakeLists.txt", f"walrus_room(x HEADERS {headers} SOURCES {sources})")


class IncludeRules(unittest.TestCase):
    def test_a_room_may_include_what_the_table_says(self):
        self.assertEqual(
            findings(
                {
                    "walrus/wal/wal.cc": '#include "walrus/env/env.h"\n#include "walrus/wal/a.h"\n',
                    "walrus/wal/wal_test.cc": '#include "walrus/testing/sim_env.h"\n',
                    "harness/main.cc": '#include "compare/rocksdb/driver.h"\n',
                    "compare/walrus/driver.cc": '#include "walrus/wal/wal.h"\n',
                }
            ),
            [],
        )

    def test_the_wrong_direction_fails(self):
        for path, target in (
            ("walrus/base/a.cc", "walrus/env/env.h"),
            ("walrus/env/a.cc", "walrus/wal/wal.h"),
            ("walrus/raft/a.cc", "walrus/env/env.h"),
            ("walrus/client/a.cc", "walrus/wal/wal.h"),
            ("harness/driver/a.cc", "walrus/wal/wal.h"),
            ("harness/runner/a.cc", "compare/rocksdb/driver.h"),
            ("harness/runner/main.cc", "compare/rocksdb/driver.h"),
            ("compare/rocksdb/a.cc", "walrus/wal/wal.h"),
            ("compare/walrus/a.cc", "compare/rocksdb/driver.h"),
        ):
            with self.subTest(path=path):
                text = f'// A comment.\n#include "{target}"\n'
                self.assertEqual(findings({path: text}), [f"{path}:2: include"])

    def test_production_code_may_not_include_testing(self):
        text = '#include "walrus/testing/sim_env.h"\n'
        for path in ("walrus/wal/a.cc", "walrus/wal/a.h", "harness/driver/a.cc"):
            self.assertEqual(findings({path: text}), [f"{path}:1: include"])

    def test_what_only_tests_are_built_from_is_a_test_too(self):
        files = {
            "walrus/wal/CMakeLists.txt": (
                "walrus_room(wal SOURCES a.cc TESTS a_test.cc script.cc)\n"
                "walrus_test(more LABEL sim SOURCES kit.cc DEPS walrus::wal)"
            ),
            "walrus/wal/script.cc": '#include "walrus/wal/script.h"\n',
            "walrus/wal/script.h": '#include "walrus/testing/sim_env.h"\n',
            "walrus/wal/kit.cc": '#include "walrus/testing/sim_env.h"\n',
            "walrus/wal/a_test.cc": '#include "walrus/wal/script.h"\n',
            "walrus/wal/a.cc": "",
        }
        self.assertEqual(findings(files), [])
        files["walrus/wal/a.cc"] = files["walrus/wal/a_test.cc"]
        self.assertEqual(findings(files), ["walrus/wal/a.cc:1: include"])

    def test_a_private_header_stays_in_its_folder(self):
        files = {
            "walrus/env/env.h": "",
            "walrus/env/ring.h": "",
            "walrus/env/CMakeLists.txt": "walrus_room(env HEADERS env.h SOURCES env.cc)",
            "walrus/env/env.cc": '#include "walrus/env/ring.h"\n',
            "walrus/wal/a.cc": '#include "walrus/env/env.h"\n',
        }
        self.assertEqual(findings(files), [])
        files["walrus/env/env.h"] = files["walrus/wal/a.cc"] = files["walrus/env/env.cc"]
        self.assertEqual(
            findings(files), ["walrus/env/env.h:1: private", "walrus/wal/a.cc:1: private"]
        )

    def test_a_relative_include_or_an_unknown_room_fails(self):
        self.assertEqual(
            findings({"walrus/wal/a.cc": '#include "a.h"\n'}), ["walrus/wal/a.cc:1: include"]
        )
        self.assertEqual(
            findings({"walrus/extra/a.cc": '#include "walrus/base/a.h"\n'}),
            ["walrus/extra/a.cc:1: include"],
        )

    def test_parts_of_the_harness_may_not_form_a_ring(self):
        ring = {
            "harness/driver/a.h": '#include "harness/runner/b.h"\n',
            "harness/runner/b.h": '#include "harness/stats/c.h"\n',
            "harness/stats/c.h": '#include "harness/driver/a.h"\n',
        }
        self.assertEqual(findings(ring), [f"{path}:1: ring" for path in ring])
        ring["harness/stats/c.h"] = ""
        self.assertEqual(findings(ring), [])


class LibraryRules(unittest.TestCase):
    def test_a_library_stays_in_its_place(self):
        self.assertEqual(
            findings(
                {
                    "walrus/base/a.cc": "#include <fmt/format.h>\n#include <vector>\n",
                    "walrus/env/a.cc": "#include <liburing.h>\n#include <sys/mman.h>\n",
                    "walrus/wal/a_test.cc": "#include <gtest/gtest.h>\n",
                }
            ),
            [],
        )
        for path, target in (
            ("walrus/wal/a.cc", "fmt/format.h"),
            ("walrus/wal/a.cc", "liburing.h"),
            ("walrus/wal/a.cc", "gtest/gtest.h"),
            ("harness/runner/a.cc", "rocksdb/db.h"),
            ("walrus/base/a.cc", "boost/optional.hpp"),
        ):
            with self.subTest(target=target):
                self.assertEqual(
                    findings({path: f"#include <{target}>\n"}), [f"{path}:1: library"]
                )

    def test_a_public_header_shows_no_library(self):
        files = {
            "walrus/env/shown.h": "#include <liburing.h>\n",
            "walrus/env/hidden.h": "#include <liburing.h>\n",
            "walrus/env/CMakeLists.txt": "walrus_room(env HEADERS shown.h)",
        }
        self.assertEqual(findings(files), ["walrus/env/shown.h:1: library"])


class WordRules(unittest.TestCase):
    CASES = (
        ("clock", "walrus/wal/a.cc", "auto t = std::chrono::steady_clock::now();"),
        ("clock", "harness/runner/a.cc", "auto t = std::chrono::system_clock::now();"),
        ("clock", "walrus/wal/a.cc", "clock_gettime(CLOCK_MONOTONIC, &now);"),
        ("entropy", "walrus/wal/a.cc", "int x = std::rand();"),
        ("entropy", "walrus/wal/a.cc", "std::random_device device;"),
        ("environment", "walrus/wal/a.cc", 'std::getenv("HOME");'),
        ("disk", "walrus/wal/a.cc", "int fd = ::open(path, 0);"),
        ("disk", "walrus/wal/a.cc", "::fsync(fd);"),
        ("disk", "walrus/wal/a.cc", "fdatasync(fd);"),
        ("disk", "walrus/testing/a.cc", "pwrite(fd, p, n, 0);"),
        ("disk", "walrus/wal/a.cc", "::pread(fd, p, n, 0);"),
        ("sleep", "walrus/wal/a_test.cc", "std::this_thread::sleep_for(1s);"),
        ("sleep", "harness/runner/a_test.cc", "usleep(10);"),
        ("asio", "walrus/node/a.cc", "asio::io_context context;"),
        ("endl", "harness/report/a.cc", "out << std::endl;"),
        ("left-over", "harness/report/a.cc", "// FIX" "ME"),
    )

    def test_each_word_is_found_in_the_wrong_place(self):
        for rule, path, code in self.CASES:
            with self.subTest(code=code):
                self.assertEqual(findings({path: f"\n\n{code}\n"}), [f"{path}:3: {rule}"])

    def test_each_word_is_allowed_in_its_own_place(self):
        for path, code in (
            ("walrus/base/clock.cc", "std::chrono::steady_clock::now();"),
            ("harness/metrics/a.cc", "std::chrono::steady_clock::now();"),
            ("walrus/base/random.cc", "getrandom(&x, 8, 0);"),
            ("walrus/wal/options.cc", 'std::getenv("X");'),
            ("walrus/testing/seed.cc", 'std::getenv("X");'),
            ("walrus/wal/tool_main.cc", 'std::getenv("X");'),
            ("walrus/env/a.cc", "::open(path, 0); fdatasync(fd); ::pread(fd, p, n, 0);"),
            ("walrus/testing/sim_ring.cc", "::ftruncate(fd, n);"),
            ("harness/driver/a.cc", "::open(path, 0);"),
            ("harness/workload/a.cc", "sleep_until(next);"),
            ("walrus/net/a.cc", "asio::io_context context;"),
        ):
            with self.subTest(path=path):
                self.assertEqual(findings({path: code}), [])

    def test_comments_literals_and_our_own_names_are_not_words(self):
        code = """
            // std::endl and ::fsync(fd) are spoken of, not used.
            /* std::rand() */ const char* text = "std::getenv";
            const char* raw = R"x(std::endl)x";
            Clock& clock = system_clock();  file.pread(x);  env->fsync(y);  Env::open(path);
            const auto million = 1'000'000; char quote = '"'; // ' "
        """
        self.assertEqual(findings({"walrus/wal/a.cc": code}), [])


class BuildRules(unittest.TestCase):
    def test_a_file_that_no_cmake_file_names_fails(self):
        files = {
            "walrus/wal/a.cc": "",
            "walrus/wal/private.h": "",
            "walrus/wal/a_test.cc": "",
            "walrus/wal/b_fuzz.cc": "",
            "walrus/wal/CMakeLists.txt": "walrus_room(wal\n SOURCES a.cc # b_fuzz.cc\n)",
        }
        self.assertEqual(
            findings(files, cmake=False),
            ["walrus/wal/a_test.cc:1: not-built", "walrus/wal/b_fuzz.cc:1: not-built"],
        )

    def test_a_folder_that_is_not_added_fails(self):
        files = {
            "walrus/CMakeLists.txt": "add_subdirectory(base)",
            "walrus/base/CMakeLists.txt": "",
            "walrus/env/CMakeLists.txt": "",
            "walrus/testing/consumer/CMakeLists.txt": "project(consumer)",
        }
        self.assertEqual(findings(files, cmake=False), ["walrus/env/CMakeLists.txt:1: not-built"])

    def test_production_may_not_link_testing(self):
        good = "walrus_room(wal SOURCES a.cc DEPS walrus::env TEST_DEPS walrus::testing)"
        bad = "walrus_room(wal SOURCES a.cc DEPS walrus::env walrus::testing)"
        files = {"walrus/wal/a.cc": "", "walrus/wal/CMakeLists.txt": good}
        self.assertEqual(findings(files), [])
        files["walrus/wal/CMakeLists.txt"] = bad
        self.assertEqual(findings(files), ["walrus/wal/CMakeLists.txt:1: link"])


if __name__ == "__main__":
    unittest.main()
