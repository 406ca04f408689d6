#!/usr/bin/env python3
"""walrus-cli against a real walrusd: every verb, its forms of output, its exit codes, the REPL.

cli_system_test.py WALRUSD WALRUS_CLI [unittest arguments]
"""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

PATIENCE_S = 60
WALRUSD = ""
CLI = ""
ANY_PORTS = ("--client-port=0", "--kafka-port=0", "--admin-port=0")
SMALL = ("--ring-size-bytes=4194304", "--log-file-bytes=4194304")


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WALRUS_")}
    return {**kept, **more}


class Walrusd:
    """A running server.  Its first line of output says where its doors are."""

    def __init__(self, data_dir: str):
        self.process = subprocess.Popen(
            [WALRUSD, f"--data-dir={data_dir}", *ANY_PORTS, *SMALL],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        self.log: list[str] = []
        self.reader = threading.Thread(
            target=lambda: self.log.extend(self.process.stderr), daemon=True
        )
        self.reader.start()
        words = self.process.stdout.readline().split()
        if not words:
            self.stop()
            raise AssertionError(f"walrusd did not start: {self.log}")
        self.doors = dict(word.split("=", 1) for word in words if "=" in word)

    def environment(self) -> dict[str, str]:
        return clean_environment(
            WALRUS_ADDR=self.doors["client"],
            WALRUS_KAFKA=self.doors["kafka"],
            WALRUS_ADMIN=self.doors["admin"],
        )

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        self.process.stdout.close()
        self.process.stderr.close()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.server = Walrusd(cls.scratch.name)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.scratch.cleanup()

    def cli(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """Standard output of a run that ends with this exit code."""
        done = subprocess.run(
            [CLI, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=self.server.environment(),
        )
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        self.last_error = done.stderr
        return done.stdout

    def json(self, *arguments: str, **more):
        return json.loads(self.cli("-o", "json", *arguments, **more))

    def json_lines(self, *arguments: str, **more) -> list:
        return [json.loads(line) for line in self.cli("-o", "jsonl", *arguments, **more).split("\n")
                if line]


class TextVerbs(Case):
    def test_the_originals_verbs(self):
        self.assertEqual(self.cli("register", "text"), "")
        self.assertEqual(self.last_error, f"→ connected target: {self.server.doors['client']}\n")
        self.assertEqual(self.cli("put", "text", " two  spaces "), "")
        self.assertEqual(self.cli("put", "text", ""), "")
        self.assertEqual(self.cli("get", "text"), " two  spaces \n")
        self.assertEqual(self.json("get", "text")["value"], "")
        self.assertEqual(self.cli("get", "text"), "EMPTY\n")
        self.assertIs(self.json("get", "text")["empty"], True)
        self.assertEqual(self.json("state", "text")["leader_node"], 1)
        self.assertEqual(self.json_lines("metrics")[0]["current_leader"], 1)
        self.cli("get", "absent", code=3)
        self.assertIn("unknown topic absent", self.last_error)

    def test_a_record_from_kafka_is_longer_than_a_command(self):
        record = "x" * 300_000
        self.cli("topics", "create", "long")
        self.cli("produce", "long", stdin=record + "\n")
        self.assertEqual(self.cli("get", "long"), record + "\n")

    def test_lines_from_a_pipe(self):
        lines = "REGISTER piped\nPUT piped a\nGET piped\nGET piped\nNONSENSE\n"
        out = self.cli(stdin=lines, code=1)
        self.assertEqual(out, "OK\nOK\nOK a\nEMPTY\nERR unknown command\n")


class Topics(Case):
    def test_a_topics_life(self):
        self.assertEqual(self.cli("topics", "create", "a", "-p", "3"), "created a\n")
        self.assertEqual(
            self.json("topics", "create", "b", "c", "-c", "retention.ms=60000"),
            [{"topic": "b", "created": True}, {"topic": "c", "created": True}],
        )
        self.cli("topics", "create", "a", code=1)
        self.assertIs(self.json("topics", "create", "a", "--if-not-exists")[0]["created"], False)
        self.cli("topics", "create", "no/slash", code=2)
        self.cli("topics", "create", "d", "-c", "retention.ms=soon", code=2)
        self.assertEqual(self.cli("topics", "list", "--names"), "a\nb\nc\n")
        self.assertEqual(self.json_lines("topics", "list")[0],
                         {"topic": "a", "partitions": 3, "replicas": 1})
        described = self.json("topics", "describe", "a")[0]
        self.assertEqual([p["partition"] for p in described["partitions"]], [0, 1, 2])
        settings = {entry["name"]: entry for entry in self.json("topics", "config", "b")}
        self.assertEqual(settings["retention.ms"]["value"], "60000")
        self.assertIs(settings["retention.ms"]["default"], False)
        self.assertIn("retention.ms", self.cli("topics", "config", "b"))
        self.cli("topics", "delete", "a", code=2)
        self.assertIn("--yes", self.last_error)
        self.assertEqual(self.cli("topics", "delete", "a", "b", "--yes"), "deleted a\ndeleted b\n")
        self.cli("topics", "delete", "a", "--yes", code=3)
        self.cli("topics", "delete", "a", "--yes", "--if-exists")
        for verb in ("describe", "config"):
            self.cli("topics", verb, "a", code=3)
        self.assertEqual(self.cli("topics", "list", "--names"), "c\n")


class Records(Case):
    def test_what_goes_in_comes_out(self):
        self.cli("topics", "create", "records")
        out = self.cli("produce", "records", "-k", ":", "-H", "h=1", stdin="k1:one\nk2:two\n")
        self.assertIn("partition 0: offsets 0 to 1", out)
        self.assertEqual(self.cli("consume", "records", "-e", "-f", "%k=%s[%h] "),
                         "k1=one[h=1] k2=two[h=1] ")
        self.assertEqual(self.cli("consume", "records", "--from", "-1", "-e"), "two\n")
        lines = self.cli("-o", "jsonl", "consume", "records", "-e")
        report = self.json("produce", "records", "-i", "jsonl", "--idempotent", stdin=lines)
        self.assertEqual((report["records"], report["failed"]), (2, 0))
        again = self.json("consume", "records", "--from", "2", "-e")
        first = [json.loads(line) for line in lines.splitlines()]
        for new, old in zip(again, first, strict=True):
            self.assertEqual({**new, "offset": 0}, {**old, "offset": 0})
        self.assertEqual(self.json("offsets", "records")[0]["end_offset"], 4)
        self.cli("consume", "records", "--from", "5", "-e", code=1)
        self.cli("consume", "absent", "-e", code=3)

    def test_every_compression_and_every_ack(self):
        self.cli("topics", "create", "codecs")
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            for acks in ("0", "1", "all"):
                self.cli("-q", "produce", "codecs", "-z", codec, "--acks", acks,
                         stdin="".join(f"{codec} {i}\n" for i in range(20)))
        self.assertEqual(len(self.cli("consume", "codecs", "-n", "300").splitlines()), 300)

    def test_a_time_is_found(self):
        self.cli("topics", "create", "times")
        times = (1_700_000_000_000, 1_700_000_060_000, 1_700_000_120_000)
        lines = "".join(json.dumps({"value": str(t), "timestamp_ms": t}) + "\n" for t in times)
        for line in lines.splitlines(keepends=True):  # A batch each.
            self.cli("produce", "times", "-i", "jsonl", stdin=line)
        self.assertEqual(self.cli("consume", "times", "--from", "2023-11-14T22:14:20Z", "-e"),
                         "1700000060000\n1700000120000\n")
        at = self.json("offsets", "times", "--at", "ts:1700000060001")[0]
        self.assertEqual((at["start_offset"], at["end_offset"], at["offset_at"]), (0, 3, 2))
        late = self.json("offsets", "times", "--at", "2030-01-01")[0]
        self.assertEqual(late["offset_at"], 3)


class Groups(Case):
    def test_a_group_goes_on_where_it_stopped(self):
        self.cli("topics", "create", "orders", "-p", "2")
        self.cli("produce", "orders", "-p", "0", stdin="a\nb\nc\n")
        self.cli("produce", "orders", "-p", "1", stdin="d\n")
        got = self.cli("consume", "orders", "-g", "billing", "-n", "3").split()
        left = self.json("groups", "describe", "billing")[0]
        self.assertEqual((left["state"], left["lag"], left["members"]), ("Empty", 1, []))
        self.assertEqual(self.json_lines("groups", "list")[0]["lag"], 1)
        got += self.cli("consume", "orders", "-g", "billing", "-e").split()
        self.assertEqual(sorted(got), ["a", "b", "c", "d"])
        self.assertIn("lag 0", self.cli("groups", "describe", "billing"))
        self.cli("groups", "describe", "absent", code=3)
        self.assertIn("billing", self.cli("groups", "list"))

    def test_members_show_up_and_leave_in_order(self):
        self.cli("topics", "create", "watched")
        self.cli("produce", "watched", stdin="seen\n")
        member = subprocess.Popen(
            [CLI, "consume", "watched", "-g", "watchers"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self.server.environment(),
        )
        self.assertEqual(member.stdout.readline(), "seen\n")
        group = self.json("groups", "describe", "watchers")[0]
        self.assertEqual((group["state"], len(group["members"])), ("Stable", 1))
        self.assertEqual(group["partitions"][0]["member"], group["members"][0]["id"])
        member.send_signal(signal.SIGINT)
        self.assertEqual(member.wait(PATIENCE_S), 130)
        member.stdout.close()
        group = self.json("groups", "describe", "watchers")[0]
        self.assertEqual((group["state"], group["lag"]), ("Empty", 0))


class Looking(Case):
    def test_doctor_finds_everything_well(self):
        findings = {finding["check"]: finding for finding in self.json("doctor", "--round-trip")}
        for check in ("client", "text", "kafka", "broker 1", "round trip", "admin", "versions"):
            self.assertEqual(findings[check]["verdict"], "ok", findings[check])
        self.assertNotIn("walrus-doctor", self.cli("topics", "list", "--names"))
        self.assertIn("librdkafka", self.cli("doctor"))

    def test_doctor_and_health_tell_what_is_away(self):
        self.cli("--admin", "127.0.0.1:1", "doctor", code=4)
        self.cli("--admin", "127.0.0.1:1", "health", code=4)
        self.assertEqual(self.cli("health"), "ready\n")
        self.assertEqual(self.cli("health", "--live"), "live\n")
        self.assertIs(self.json("health")["healthy"], True)

    def test_a_log_is_verified_when_the_server_is_gone(self):
        with tempfile.TemporaryDirectory() as data:
            server = Walrusd(data)
            environment = server.environment()
            subprocess.run([CLI, "produce", "t"], input="x\n" * 10, text=True, check=True,
                           env=environment, capture_output=True)
            logs = sorted(path.parent for path in Path(data).rglob("FORMAT"))
            self.assertTrue(logs)
            for log in logs:
                self.cli("wal", "verify", str(log), code=1)  # The server has it open.
            server.stop()
            records = 0
            for log in logs:
                report = self.json("wal", "verify", str(log))
                self.assertIs(report["ok"], True)
                records += report["records"]
                self.cli("wal", "dump", str(log), "--limit", "5")
                self.cli("wal", "repair", str(log), "--yes")
            self.assertGreaterEqual(records, 10)


class Repl(Case):
    """The REPL on a terminal."""

    def start(self, home: str) -> tuple[subprocess.Popen, int]:
        ours, theirs = pty.openpty()
        repl = subprocess.Popen(
            [CLI], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
            start_new_session=True,
            # The terminal becomes the session's own, so that Ctrl-C is a signal.
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
            env={**self.server.environment(), "HOME": home, "TERM": "xterm",
                 "XDG_STATE_HOME": home + "/state", "LC_ALL": "C.UTF-8"},
        )
        os.close(theirs)
        self.addCleanup(os.close, ours)
        self.addCleanup(repl.kill)
        self.seen = b""  # Printed and not yet expected.
        return repl, ours

    def expect(self, terminal: int, *texts: str) -> None:
        """Waits for the texts in this order."""
        for text in texts:
            while text.encode() not in self.seen:
                ready, _, _ = select.select([terminal], [], [], PATIENCE_S)
                self.assertTrue(ready, f"no {text!r} in {self.seen!r}")
                try:
                    piece = os.read(terminal, 4096)
                except OSError:  # The other end is gone.
                    piece = b""
                self.assertTrue(piece, f"no {text!r} in {self.seen!r}")
                self.seen += piece
            self.seen = self.seen.split(text.encode(), 1)[1]

    def answer(self, terminal: int, keys: bytes, text: str) -> None:
        """Types, and waits for the reply and for the prompt: between them the terminal is not ours
        and would take Ctrl-C and Ctrl-D for itself."""
        os.write(terminal, keys)
        self.expect(terminal, "\n", text, self.PROMPT)

    PROMPT = "🦭 > "

    def test_lines_history_completion_and_the_ways_out(self):
        with tempfile.TemporaryDirectory() as home:
            repl, terminal = self.start(home)
            self.expect(terminal, self.PROMPT)
            self.answer(terminal, b"REGI\tlions\r", "OK")
            self.answer(terminal, b"PUT li\troar\r", "OK")
            self.answer(terminal, b"GET lions\r", "OK roar")
            self.answer(terminal, b"\x1b[A\r", "EMPTY")  # The last line again.
            os.write(terminal, b"quit\r")
            self.assertEqual(repl.wait(PATIENCE_S), 0)
            self.assertIn("lions", Path(home, "state/walrus/cli_history").read_text())

            repl, terminal = self.start(home)
            self.expect(terminal, self.PROMPT)
            self.answer(terminal, b"\x1b[A\x1b[A\r", "EMPTY")  # From the last session.
            os.write(terminal, b"\x04")
            self.assertEqual(repl.wait(PATIENCE_S), 0)

            repl, terminal = self.start(home)
            self.expect(terminal, self.PROMPT)
            os.write(terminal, b"GET li\x03")
            self.assertEqual(repl.wait(PATIENCE_S), 130)


if __name__ == "__main__":
    WALRUSD, CLI = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
