#!/usr/bin/env python3
"""kcat against walrusd: -L, -P, -C and -G, with every compression.

WALRUSD is the program.  Exit code 77: there is no kcat here.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import unittest

from walrusd_process import PATIENCE_S, Walrusd

SKIPPED = 77


class KcatTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Walrusd(os.environ["WALRUSD"])

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def kcat(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            ["kcat", "-b", self.server.kafka, *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        self.assertEqual(done.returncode, 0, done.stderr + self.server.log())
        return done.stdout

    def produce(self, topic: str, lines: list[str], *arguments: str) -> None:
        self.kcat("-P", "-t", topic, *arguments, text="".join(line + "\n" for line in lines))

    def consume(self, topic: str, *arguments: str) -> list[str]:
        return self.kcat("-C", "-t", topic, "-e", "-q", *arguments).splitlines()

    def test_metadata_names_the_broker_and_its_topics(self):
        self.produce("listed", ["x"])
        listing = json.loads(self.kcat("-L", "-J"))
        self.assertEqual([broker["name"] for broker in listing["brokers"]], [self.server.kafka])
        topic = next(topic for topic in listing["topics"] if topic["topic"] == "listed")
        self.assertEqual([part["leader"] for part in topic["partitions"]], [1])

    def test_every_compression_is_stored_and_served_as_it_came(self):
        lines = [f"line {i} " + "abc" * 50 for i in range(2000)]
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            with self.subTest(codec):
                topic = f"codec-{codec}"
                self.produce(topic, lines, "-z", codec)
                self.assertEqual(self.consume(topic), lines)

    def test_keys_headers_and_empty_values_come_back(self):
        self.kcat("-P", "-t", "keys", "-K", ":", "-H", "colour=blue", text="k1:v1\nk2:\n:v3\n")
        records = [json.loads(line) for line in self.consume("keys", "-J")]
        self.assertEqual([(r["key"], r["payload"]) for r in records][:2], [("k1", "v1"), ("k2", "")])
        self.assertEqual(records[0]["headers"], ["colour", "blue"])
        self.assertEqual([r["offset"] for r in records], [0, 1, 2])

    def test_reading_begins_where_it_is_asked_to(self):
        self.produce("places", [str(i) for i in range(100)])
        self.assertEqual(self.consume("places", "-o", "90"), [str(i) for i in range(90, 100)])
        self.assertEqual(self.consume("places", "-o", "-3"), ["97", "98", "99"])
        self.assertEqual(self.consume("places", "-o", "5", "-c", "2"), ["5", "6"])
        self.assertEqual(self.consume("places", "-o", "end"), [])

    def test_reading_begins_at_a_time(self):
        self.produce("times", ["early"])
        first = json.loads(self.consume("times", "-J")[0])["ts"]
        late = first
        while late <= first + 1:  # Until the clock of the producer has moved on.
            self.produce("times", ["late"])
            late = json.loads(self.consume("times", "-J")[-1])["ts"]
        self.assertEqual(self.consume("times", "-o", f"s@{late}"), ["late"])
        self.assertEqual(self.consume("times", "-o", f"s@{first}")[0], "early")

    def test_a_group_goes_on_where_it_was_also_after_a_restart(self):
        group = ["-X", "auto.offset.reset=earliest", "-G", "readers"]
        self.produce("shared", ["a", "b", "c"])
        read = self.kcat("-q", "-e", *group, "shared").splitlines()
        self.assertEqual(read, ["a", "b", "c"])
        self.produce("shared", ["d"])
        self.assertEqual(self.kcat("-q", "-e", *group, "shared").splitlines(), ["d"])
        self.server.kill()
        self.server.start()
        self.produce("shared", ["e", "f"])
        self.assertEqual(self.kcat("-q", "-e", *group, "shared").splitlines(), ["e", "f"])

    def test_every_kind_of_acks(self):
        for acks in ("0", "1", "all"):
            self.produce(f"acks-{acks}", ["one", "two"], "-X", f"acks={acks}")
            self.assertEqual(self.consume(f"acks-{acks}"), ["one", "two"])

    def test_an_idempotent_producer(self):
        lines = [str(i) for i in range(5000)]
        self.produce("idempotent", lines, "-X", "enable.idempotence=true")
        self.assertEqual(self.consume("idempotent"), lines)

    def test_garbage_closes_its_connection_and_disturbs_nobody(self):
        host, _, port = self.server.kafka.rpartition(":")
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", struct.pack(">i", 6) + b"\xff" * 6, b"\0" * 64):
            with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
                connection.sendall(garbage)
                self.assertEqual(connection.recv(1), b"")
        self.assertIn(self.server.kafka, self.kcat("-L"))


if __name__ == "__main__":
    if shutil.which("kcat") is None:
        print("SKIPPED: there is no kcat; scripts/setup.sh installs it")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
