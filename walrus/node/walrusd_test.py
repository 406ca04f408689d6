#!/usr/bin/env python3
"""walrusd as a process: starts, serves, survives kill -9, drains, refuses, and says why.

walrusd_test.py WALRUSD [unittest arguments]
"""

import json
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import tomllib
import unittest
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE_S = 60
WALRUSD = ""
# No door takes a port that another test may have.
ANY_PORTS = ("--client-port=0", "--kafka-port=0", "--admin-port=0")


def clean_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WALRUS_")}
    return {**kept, **more}


class Walrusd:
    """A running server.  `ready` is what it says when its doors are open."""

    def __init__(self, data_dir: str, *flags: str, **environment: str):
        self.watch(subprocess.Popen(
            [WALRUSD, f"--data-dir={data_dir}", *ANY_PORTS, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(**environment),
        ))

    @classmethod
    def adopt(cls, process: subprocess.Popen) -> "Walrusd":
        """One that was started without waiting for it."""
        server = cls.__new__(cls)
        server.watch(process)
        return server

    def watch(self, process: subprocess.Popen) -> None:
        self.process = process
        self.log: list[str] = []
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        self.ready = self.process.stdout.readline().split()
        if not self.ready:
            self.wait()
            raise AssertionError(f"walrusd did not start: {self.log}")

    def read_log(self) -> None:
        self.log.extend(self.process.stderr)

    def port(self, door: str) -> int:
        address = next(word for word in self.ready if word.startswith(door + "="))
        return int(address.rpartition(":")[2])

    def client(self) -> "Client":
        return Client(self.port("client"))

    def get(self, path: str) -> str:
        url = f"http://127.0.0.1:{self.port('admin')}{path}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
            return response.read().decode()

    def resident_bytes(self) -> int:
        statm = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(statm[1]) * os.sysconf("SC_PAGESIZE")

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.send_signal(number)
        return self.wait()


class Client:
    """A connection of the text protocol."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, *commands: str | bytes) -> None:
        frames = [c.encode() if isinstance(c, str) else c for c in commands]
        self.socket.sendall(b"".join(struct.pack("<I", len(f)) + f for f in frames))

    def receive(self) -> bytes | None:
        """One reply; None: the server has closed."""
        try:
            head = self.stream.read(4)
            if len(head) < 4:
                return None
            (length,) = struct.unpack("<I", head)
            body = self.stream.read(length)
        except ConnectionError:
            return None
        return body if len(body) == length else None

    def ask(self, command: str | bytes) -> str:
        self.send(command)
        reply = self.receive()
        return "(closed)" if reply is None else reply.decode()


def run(*flags: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [WALRUSD, *flags],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=clean_environment(**environment),
    )


class WalrusdTest(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="walrusd_test.")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.data_dir = os.path.join(self.directory, "data")

    def start(self, *flags: str, **environment: str) -> Walrusd:
        server = Walrusd(self.data_dir, *flags, **environment)
        self.addCleanup(lambda: server.process.poll() is None and server.stop(signal.SIGKILL))
        return server

    def write(self, name: str, text: str) -> str:
        path = Path(self.directory, name)
        path.write_text(text)
        return str(path)


class Serving(WalrusdTest):
    def test_keeps_what_it_was_told_over_a_restart(self) -> None:
        server = self.start("--node-id=7")
        self.assertTrue(Path(self.data_dir, "node_7").is_dir())
        with server.client() as client:
            self.assertEqual(client.ask("GET logs"), "ERR unknown topic logs")
            self.assertEqual(client.ask("REGISTER logs"), "OK")
            self.assertEqual(client.ask("PUT logs one"), "OK")
            self.assertEqual(client.ask("PUT logs  two "), "OK")
            self.assertEqual(client.ask("GET logs"), "OK one")
            state = json.loads(client.ask("STATE logs"))
            self.assertEqual(state["leader_node"], 7)
            metrics = json.loads(client.ask("METRICS"))
            self.assertEqual(metrics["current_leader"], 7)
            self.assertEqual(metrics["membership_config"]["membership"]["configs"], [[7]])
        self.assertEqual(server.stop(), 0)

        server = self.start("--node-id=7")
        with server.client() as client:
            self.assertEqual(client.ask("REGISTER logs"), "OK")
            self.assertEqual(client.ask("GET logs"), "OK  two ")
            self.assertEqual(client.ask("GET logs"), "EMPTY")
        self.assertEqual(server.stop(signal.SIGINT), 0)

    def test_says_at_the_start_what_it_promises(self) -> None:
        server = self.start("--durability=process", "--log-format=json")
        self.assertEqual(server.stop(), 0)
        lines = [json.loads(line) for line in server.log]
        text = "\n".join(line["msg"] for line in lines)
        for said in ("walrusd 0.", "acknowledged when: process", "io backend: ", "open files"):
            self.assertIn(said, text)
        self.assertIn("ready client=127.0.0.1:", text)
        self.assertEqual({line["node"] for line in lines}, {1})

    def test_logs_to_a_file_when_asked(self) -> None:
        log = os.path.join(self.directory, "walrus.log")
        server = self.start(f"--log-file={log}")
        self.assertEqual(server.stop(), 0)
        self.assertIn("level=info node=1 msg=\"ready", Path(log).read_text())
        self.assertEqual(server.log, [])

    def test_tells_the_service_manager(self) -> None:
        address = os.path.join(self.directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(address)
            manager.settimeout(PATIENCE_S)
            server = self.start(NOTIFY_SOCKET=address)
            self.assertEqual(manager.recv(100), b"READY=1")
            server.stop()
            self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_many_readers_share_the_records_and_none_comes_twice(self) -> None:
        server = self.start("--durability=process")
        count, readers = 2000, 8
        with server.client() as client:
            client.ask("REGISTER logs")
            client.send(*(f"PUT logs {i}" for i in range(count)))
            for _ in range(count):
                self.assertEqual(client.receive(), b"OK")
        got: list[int] = []

        def read() -> None:
            with server.client() as client:
                while (reply := client.ask("GET logs")) != "EMPTY":
                    got.append(int(reply.removeprefix("OK ")))

        threads = [threading.Thread(target=read) for _ in range(readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        self.assertEqual(sorted(got), list(range(count)))
        server.stop()


class Crashing(WalrusdTest):
    def put_until_killed(self, server: Walrusd, topic: str, acked: list[int]) -> None:
        """Pipelines PUTs; notes those that were acknowledged."""
        with server.client() as client:
            number = 0
            try:
                while True:
                    client.send(*(f"PUT {topic} {number + i}" for i in range(16)))
                    for _ in range(16):
                        if client.receive() != b"OK":
                            return
                        acked.append(number)
                        number += 1
            except OSError:
                return

    def test_every_acknowledged_record_survives_kill_9(self) -> None:
        for durability in ("disk", "process"):
            with self.subTest(durability):
                self.kill_under_load(durability)

    def kill_under_load(self, durability: str) -> None:
        topics = [f"{durability}-{i}" for i in range(4)]
        acked: dict[str, list[int]] = {topic: [] for topic in topics}
        server = self.start(f"--durability={durability}")
        with server.client() as client:
            for topic in topics:
                self.assertEqual(client.ask(f"REGISTER {topic}"), "OK")
        threads = [
            threading.Thread(target=self.put_until_killed, args=(server, topic, acked[topic]))
            for topic in topics
        ]
        for thread in threads:
            thread.start()
        # Once each has got some, anything may be under way.
        while any(len(numbers) < 500 for numbers in acked.values()):
            threads[0].join(0.01)
        server.stop(signal.SIGKILL)
        for thread in threads:
            thread.join(PATIENCE_S)

        # With another default: a topic keeps the class it was made with.
        server = self.start("--durability=os-interval")
        with server.client() as client:
            for topic in topics:
                stored = []
                while (reply := client.ask(f"GET {topic}")) != "EMPTY":
                    stored.append(int(reply.removeprefix("OK ")))
                self.assertEqual(stored, list(range(len(stored))), topic)
                self.assertGreaterEqual(len(stored), len(acked[topic]), topic)
        self.assertEqual(server.stop(), 0)


class FullDisk(WalrusdTest):
    def test_a_full_disk_refuses_writes_until_there_is_room(self) -> None:
        disk = os.path.join(self.directory, "disk")
        os.mkdir(disk)
        mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", disk]
        mounted = subprocess.run(mount, capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"SKIPPED: a small disk needs `mount`: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
        self.data_dir = os.path.join(disk, "data")
        server = self.start("--ring-size-bytes=4194304", "--log-file-bytes=4194304")
        ballast = Path(disk, "ballast")
        ballast.write_bytes(bytes(24 << 20))
        with server.client() as client:
            client.ask("REGISTER logs")
            stored = 0
            payload = 60_000 * "x"
            while (reply := client.ask(f"PUT logs {stored} {payload}")) == "OK":
                stored += 1
                self.assertLess(stored, 2000, "the disk must fill")
            self.assertRegex(reply, "^ERR append failed for t_logs_s_1: no_space: ")
            messages = json.loads(server.get("/v1/topics/logs/messages?offset=3&limit=1"))
            self.assertEqual(messages["records"][0]["offset"], 3, "reads go on")
            self.assertTrue(client.ask("GET logs").startswith("OK 0 "), "cursors have room")
            self.assertEqual(server.get("/livez"), "ok\n")

            ballast.unlink()
            for _ in range(PATIENCE_S * 10):
                if (reply := client.ask(f"PUT logs {stored} {payload}")) == "OK":
                    break
                server.reader.join(0.1)
            self.assertEqual(reply, "OK", "writes work again when space returns")
            for number in range(1, stored + 1):
                self.assertEqual(client.ask("GET logs").split(" ")[1], str(number))
        self.assertEqual(server.stop(), 0)


class Ending(WalrusdTest):
    def test_sigterm_answers_what_is_in_hand(self) -> None:
        server = self.start()
        with server.client() as client:
            client.ask("REGISTER logs")
            client.send(*(f"PUT logs {i}" for i in range(200)))
            first = client.receive()
            server.send_signal(signal.SIGTERM)
            replies = [first]
            while (reply := client.receive()) is not None:
                replies.append(reply)
        self.assertEqual(server.wait(), 0)
        self.assertEqual(set(replies), {b"OK"})
        server = self.start()
        with server.client() as client:
            stored = 0
            while client.ask("GET logs") != "EMPTY":
                stored += 1
        self.assertEqual(stored, len(replies), "what was answered is what was stored")
        server.stop()

    def keep_from_ending(self, server: Walrusd) -> Client:
        """A client with replies that it does not read."""
        client = server.client()
        client.ask("REGISTER logs")
        for _ in range(300):
            client.ask("PUT logs " + 60_000 * "x")
        client.send(*("GET logs" for _ in range(300)))
        return client

    def test_the_deadline_ends_what_does_not_end(self) -> None:
        server = self.start("--shutdown-timeout-ms=200", "--durability=process")
        client = self.keep_from_ending(server)
        self.assertEqual(server.stop(), 0)
        self.assertIn("the deadline cuts off 1 connections", "".join(server.log))
        client.close()

    def test_a_second_signal_ends_at_once(self) -> None:
        server = self.start("--shutdown-timeout-ms=600000", "--durability=process")
        client = self.keep_from_ending(server)
        server.send_signal(signal.SIGTERM)
        self.wait_for_log(server, "finishes what is in hand")
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 128 + signal.SIGTERM)
        client.close()

    def wait_for_log(self, server: Walrusd, text: str) -> None:
        for _ in range(PATIENCE_S * 100):
            if any(text in line for line in server.log):
                return
            server.reader.join(0.01)
        self.fail(f"no '{text}' in {server.log}")


class Refusing(WalrusdTest):
    def refused(self, code: int, *flags: str, **environment: str) -> str:
        done = run(f"--data-dir={self.data_dir}", *flags, **environment)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_locked_data_directory_is_75(self) -> None:
        server = self.start()
        error = self.refused(75, *ANY_PORTS)
        self.assertIn("choose another data_dir", error)
        with server.client() as client:
            self.assertEqual(client.ask("REGISTER logs"), "OK")
        server.stop()

    def test_a_port_in_use_is_75(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for door in ("client", "kafka", "admin"):
                error = self.refused(75, *ANY_PORTS, f"--{door}-port={port}")
                self.assertIn(f"127.0.0.1:{port}: Address already in use", error)

    def test_a_data_directory_that_cannot_be_is_74(self) -> None:
        self.write("data", "a file")
        self.assertIn("data", self.refused(74, *ANY_PORTS))

    def test_a_bad_configuration_is_78(self) -> None:
        self.assertIn("did you mean 'client_port'", self.refused(
            78, "--config", self.write("a.toml", "client_prot = 1\n")))
        self.assertIn("b.toml:2", self.refused(
            78, "--config", self.write("b.toml", "# a comment\nnode_id = -3\n")))
        self.assertIn("No such file", self.refused(78, "--config", "/no/such/file.toml"))
        self.assertIn("one of", self.refused(78, "--durability", "maybe"))
        self.assertIn("WALRUS_NODE_ID", self.refused(78, WALRUS_NODE_ID="x"))
        self.assertIn("must be HOST:PORT", self.refused(78, "--join", "10.0.0.1"))
        self.assertIn("retention.mss", self.refused(
            78, *ANY_PORTS, "--topic-default", "retention.mss=1"))

    def test_a_host_of_another_machine_is_78(self) -> None:
        self.assertIn("192.0.2.1", self.refused(78, *ANY_PORTS, "--client-host=192.0.2.1"))

    def test_a_wrong_command_line_is_2(self) -> None:
        self.assertIn("did you mean '--client-port'", self.refused(2, "--client-prot=1"))
        self.refused(2, "--node-id")


class Telling(WalrusdTest):
    def test_print_config_says_where_each_value_is_from(self) -> None:
        path = self.write("walrus.toml", "node_id = 4\nclient_port = 1\n")
        done = run("--config", path, "--print-config", "--kafka-port=off", "--disable-io-uring",
                   WALRUS_CLIENT_PORT="2")
        self.assertEqual(done.returncode, 0, done.stderr)
        values = tomllib.loads(done.stdout)
        self.assertEqual(
            [values[name] for name in ("node_id", "client_port", "kafka_port", "raft_port")],
            [4, 2, "off", 6000])
        self.assertTrue(values["disable_io_uring"])
        origins = {line.split(" ")[0]: line.rpartition("# ")[2]
                   for line in done.stdout.splitlines()}
        self.assertEqual(origins["node_id"], path + ":1")
        self.assertEqual(origins["client_port"], "WALRUS_CLIENT_PORT")
        self.assertEqual(origins["kafka_port"], "--kafka-port")
        self.assertEqual(origins["raft_port"], "default")

    def test_check_config_starts_nothing(self) -> None:
        done = run(f"--data-dir={self.data_dir}", "--check-config")
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"))
        self.assertFalse(os.path.exists(self.data_dir))

    def test_version_and_help(self) -> None:
        self.assertRegex(run("--version").stdout, r"^walrusd \d+\.\d+\.\d+ \(")
        text = run("--help").stdout
        for said in ("Examples:", "--kafka-port", "--port", "WALRUS_CLIENT_PORT", "78 bad"):
            self.assertIn(said, text)

    def test_admin_pages(self) -> None:
        server = self.start()
        with server.client() as client:
            client.ask("REGISTER logs")
            for i in range(3):
                client.ask(f"PUT logs record {i}")
            client.ask("GET logs")
            self.check_admin(server)
        server.stop()

    def check_admin(self, server: Walrusd) -> None:
        self.assertEqual(server.get("/livez"), "ok\n")
        self.assertEqual(server.get("/readyz"), "ok\n")
        self.assertEqual(json.loads(server.get("/healthz?verbose"))["status"], "ready")
        node = json.loads(server.get("/v1/node"))
        self.assertEqual((node["node_id"], node["topics"]), (1, 1))
        self.assertEqual(node["produced"]["records"], 3)
        (topic,) = json.loads(server.get("/v1/topics"))["topics"]
        self.assertEqual((topic["name"], topic["records"]), ("logs", 3))
        self.assertIn("retention.ms", json.loads(server.get("/v1/topics/logs"))["configs"])
        messages = json.loads(server.get("/v1/topics/logs/messages?offset=1&limit=1"))
        self.assertEqual(
            [(r["offset"], r["value"]) for r in messages["records"]], [(1, "record 1")])
        (group,) = json.loads(server.get("/v1/groups"))["groups"]
        self.assertEqual((group["group"], group["lag"]), ("", 2))
        config = json.loads(server.get("/v1/config"))
        self.assertEqual(config["client_port"], {"value": "0", "origin": "--client-port"})
        self.assertEqual(json.loads(server.get("/v1/version"))["name"], "walrusd")
        self.assertIn("<title>walrusd</title>", server.get("/"))
        for path, status in (("/nope", 404), ("/v1/topics/nope", 404),
                             ("/v1/topics/logs/messages?limit=x", 400),
                             ("/v1/topics/logs/messages?offset=99", 400)):
            with self.assertRaises(urllib.error.HTTPError) as failed:
                server.get(path)
            self.assertEqual(failed.exception.code, status, path)
            self.assertIn("error", json.loads(failed.exception.read()))
            failed.exception.close()
        self.check_metrics(server.get("/metrics"))

    def check_metrics(self, text: str) -> None:
        samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        for name, value in (
            ('walrus_produce_requests_total{result="appended"}', "3"),
            ("walrus_produce_duration_seconds_count", "3"),
            ('walrus_produce_duration_seconds_bucket{le="+Inf"}', "3"),
            ('walrus_topic_end_offset{topic="logs",partition="0"}', "3"),
            ('walrus_consumer_lag_records{group="",topic="logs",partition="0"}', "2"),
            ('walrus_consumer_lag_sum{group=""}', "2"),
            ('walrus_connections{door="client"}', "1"),
            ('walrus_text_commands_total{command="PUT"}', "3"),
        ):
            self.assertEqual(samples.get(name), value, name)
        self.assertGreater(int(samples["walrus_fsync_duration_seconds_count"]), 0)
        self.assertEqual(samples["walrus_fsync_errors_total"], "0")
        self.assertGreater(int(samples["process_resident_memory_bytes"]), 1 << 20)
        typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
        for name in samples:
            family = name.partition("{")[0]
            stem = family.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
            self.assertTrue(family in typed or stem in typed, name)


class BadClients(WalrusdTest):
    def test_nonsense_disturbs_nobody(self) -> None:
        seed = int(os.environ.get("WALRUS_SEED", random.randrange(1 << 32)))
        print(f"WALRUS_SEED={seed}", file=sys.stderr)
        chance = random.Random(seed)
        server = self.start()
        with server.client() as client:
            client.ask("REGISTER logs")
            for door in ("client", "kafka", "admin"):
                for _ in range(50):
                    with socket.create_connection(("127.0.0.1", server.port(door))) as bad:
                        try:
                            bad.sendall(chance.randbytes(chance.randrange(2000)))
                        except OSError:
                            pass
                self.assertEqual(client.ask("PUT logs still here"), "OK")
            client.send(b"\xff\xfe")
            self.assertEqual(client.receive(), b"ERR invalid utf-8")
            self.assertEqual(client.ask("GET logs"), "OK still here")
        self.assertEqual(server.stop(), 0)

    def test_an_oversized_frame_is_told_and_closed(self) -> None:
        server = self.start()
        with server.client() as client:
            client.socket.sendall(struct.pack("<I", 65_537) + 65_537 * b"x")
            self.assertEqual(client.receive(), b"ERR invalid frame length")
            self.assertIsNone(client.receive())
        server.stop()

    def test_one_connection_too_many_is_told_so(self) -> None:
        server = self.start("--max-connections=2")
        with server.client() as first, server.client() as second, server.client() as third:
            self.assertEqual(first.ask("REGISTER logs"), "OK")
            self.assertEqual(second.ask("REGISTER logs"), "OK")
            self.assertEqual(third.receive(), b"ERR too many connections, try again later")
            self.assertIsNone(third.receive())
        server.stop()

    def test_10_000_idle_connections_cost_little(self) -> None:
        count = 10_000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < count + 200:
            self.skipTest(f"SKIPPED: {count} connections need more open files than {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        server = self.start(f"--max-connections={count + 1}")
        before = server.resident_bytes()
        idle = [server.client() for _ in range(count)]
        self.assertEqual(idle[-1].ask("REGISTER logs"), "OK")
        with server.client() as client:
            self.assertEqual(client.ask("PUT logs through the crowd"), "OK")
        after = server.resident_bytes()
        print(f"resident: {before >> 20} MiB, with {count} connections {after >> 20} MiB",
              file=sys.stderr)
        self.assertIn(f'walrus_connections{{door="client"}} {count}', server.get("/metrics"))
        self.assertLess(after - before, count * 8192)
        for client in idle:
            client.close()
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    WALRUSD = sys.argv.pop(1)
    unittest.main(verbosity=2)
