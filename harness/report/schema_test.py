#!/usr/bin/env python3
"""Validates results against results/walrus.bench.v1.schema.json, and the schema against its prose.

  schema_test.py HARNESS PROJECT

Exit code 77 (skipped) when the jsonschema module is missing (Debian: python3-jsonschema).
"""

import copy
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SKIPPED = 77
SCENARIO = """
name = "tiny"
repetitions = 1
[workload]
payload_bytes = 100
warmup = "20ms"
duration = "60ms"
[[system]]
name = "sut"
driver = "file"
[[row]]
name = "appends"
durability = "process"
systems = ["sut"]
baseline = "sut"
[[row]]
name = "restart"
measure = "restart"
durability = "process"
systems = ["sut"]
workload = {max_bytes = "1MiB"}
"""

harness = project = Path()


def property_names(node) -> set[str]:
    """Every key that a document may have, wherever."""
    names = set()
    if isinstance(node, dict):
        names |= set(node.get("properties", {}))
        for value in node.values():
            names |= property_names(value)
    elif isinstance(node, list):
        for value in node:
            names |= property_names(value)
    return names


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads((project / "results/walrus.bench.v1.schema.json").read_text())
        cls.validator = jsonschema.Draft202012Validator(cls.schema)
        cls.prose = (project / "results/schema.md").read_text()

    def problems(self, document) -> list[str]:
        errors = self.validator.iter_errors(document)
        return [f"{error.json_path}: {error.message[:200]}" for error in errors]

    def fresh_result(self) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            scenario = Path(folder) / "tiny.toml"
            scenario.write_text(SCENARIO)
            bundle = Path(folder) / "bundle"
            command = [harness, "run", "--quiet", "--no-gate", "--out", bundle, scenario]
            done = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return json.loads((bundle / "result.json").read_text())

    def test_the_schema_itself_is_valid(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_every_reference_bundle_is_valid(self):
        bundles = sorted((project / "results/reference").glob("*/result.json"))
        self.assertTrue(bundles)
        for bundle in bundles:
            self.assertEqual(self.problems(json.loads(bundle.read_text())), [], bundle)

    def test_a_fresh_result_is_valid_and_nothing_else_may_be_in_it(self):
        result = self.fresh_result()
        self.assertEqual(self.problems(result), [])
        repetition = result["rows"][0]["systems"][0]["repetitions"][0]
        for place, key in ((result, "x"), (result["run"], "x"), (repetition["write"], "x")):
            place[key] = 1
            self.assertTrue(self.problems(result))
            del place[key]
        broken = copy.deepcopy(result)
        broken["rows"][0]["systems"][0]["repetitions"][0]["write"]["appends"] = -1
        self.assertTrue(self.problems(broken))
        broken = copy.deepcopy(result)
        del broken["rows"][0]["systems"][0]["repetitions"][0]["read_back"]
        self.assertTrue(self.problems(broken), "checked, but nothing says what was found")

    def test_the_program_prints_this_schema(self):
        printed = subprocess.check_output([harness, "report", "--format", "schema"], text=True)
        self.assertEqual(json.loads(printed), self.schema)

    def test_every_key_of_the_schema_is_in_the_prose(self):
        words = set()
        for code in re.findall(r"`([^`]+)`", self.prose):
            words |= set(re.findall(r"\w+", code))
        self.assertEqual(sorted(property_names(self.schema) - words), [])

    def test_every_key_of_the_tables_is_in_the_schema(self):
        named = set()
        for line in self.prose.splitlines():
            if not line.startswith("| `"):
                continue
            for code in re.findall(r"`([^`]+)`", line.split("|")[1]):
                named |= set(re.findall(r"[a-z]\w*", code))
        self.assertTrue(named)
        self.assertEqual(sorted(named - property_names(self.schema)), [])


if __name__ == "__main__":
    try:
        import jsonschema
    except ImportError:
        print("SKIPPED: no jsonschema module; install python3-jsonschema (scripts/setup.sh)")
        sys.exit(SKIPPED)
    harness, project = (Path(argument) for argument in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
