#!/usr/bin/env python3
"""Three walrusd as a cluster: serve from every node, survive kill -9, come back, refuse, say why.

cluster_test.py WALRUSD [unittest arguments]
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.error

import walrusd_test
from walrusd_test import ANY_PORTS, Client, Walrusd, WalrusdTest, run

FAST = ("--ring-size-bytes=4194304", "--log-file-bytes=8388608")


def free_port() -> int:
    """A port that is free now; it is a node's over its restarts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ClusterTest(WalrusdTest):
    def setUp(self) -> None:
        super().setUp()
        self.peer_ports: dict[int, int] = {}
        self.nodes: dict[int, Walrusd] = {}

    def node(self, number: int, *flags: str, data_dir: str = "") -> Walrusd:
        """Starts it; the first one begins the cluster, others join by way of it."""
        port = self.peer_ports.setdefault(number, free_port())
        entry = "--bootstrap" if number == 1 else f"--join=127.0.0.1:{self.peer_ports[1]}"
        server = Walrusd(data_dir or self.data_dir, f"--node-id={number}",
                         f"--raft-port={port}", entry, *FAST, *flags)
        self.addCleanup(lambda: server.process.poll() is None and server.stop(signal.SIGKILL))
        self.nodes[number] = server
        return server

    def three(self) -> None:
        for number in (1, 2, 3):
            self.node(number)

    def wait_for(self, what: str, is_true) -> None:
        deadline = time.monotonic() + walrusd_test.PATIENCE_S
        while not is_true():
            self.assertLess(time.monotonic(), deadline, f"{what}: waited in vain")
            time.sleep(0.02)

    def voters(self, client: Client) -> list:
        return json.loads(client.ask("METRICS"))["membership_config"]["membership"]["configs"]

    def put(self, client: Client, topic: str, value: str) -> None:
        """Until it is acknowledged; an error says that it may be sent again."""
        deadline = time.monotonic() + walrusd_test.PATIENCE_S
        while (reply := client.ask(f"PUT {topic} {value}")) != "OK":
            self.assertLess(time.monotonic(), deadline, reply)
            time.sleep(0.02)

    def get_all(self, client: Client, topic: str) -> list[str]:
        values = []
        while (reply := client.ask(f"GET {topic}")) != "EMPTY":
            if reply.startswith("OK "):
                values.append(reply[3:])
        return values

    def state(self, number: int, topic: str) -> dict:
        with self.nodes[number].client() as client:
            return json.loads(client.ask(f"STATE {topic}"))

    def refused(self, code: int, *flags: str) -> str:
        result = run(f"--data-dir={self.data_dir}", *ANY_PORTS, "--raft-port=0", *FAST, *flags)
        self.assertEqual(result.returncode, code, result.stderr)
        return result.stderr


class Serving(ClusterTest):
    def test_every_node_serves_every_topic(self) -> None:
        self.three()
        with self.nodes[1].client() as one, self.nodes[2].client() as two, \
                self.nodes[3].client() as three:
            self.assertEqual(two.ask("REGISTER logs"), "OK")
            for i, client in enumerate((one, two, three)):
                self.put(client, "logs", f"record {i}")
            self.assertEqual(three.ask("GET logs"), "OK record 0")
            self.assertEqual(one.ask("GET logs"), "OK record 1")
            self.assertEqual(two.ask("GET logs"), "OK record 2")
            for client in (one, two, three):
                self.assertEqual(client.ask("GET logs"), "EMPTY")
            states = [self.state(number, "logs") for number in (1, 2, 3)]
            self.assertEqual(states[0]["leader_node"], states[1]["leader_node"])
            self.assertEqual(states[0]["leader_node"], states[2]["leader_node"])
            # Who joined learns first, and votes once it has caught up.
            self.wait_for("three voters", lambda: self.voters(three) == [[1, 2, 3]])
        self.check_admin()
        for number in (3, 2, 1):
            self.assertEqual(self.nodes[number].stop(), 0)

    def check_admin(self) -> None:
        for server in self.nodes.values():
            self.assertEqual(server.get("/readyz"), "ok\n")
            cluster = json.loads(server.get("/v1/cluster"))
            self.assertEqual(cluster["live_nodes"], 3)
            self.assertEqual(cluster["metadata"]["voters"], [1, 2, 3])
            self.assertIn("walrus_under_replicated_segments 0", server.get("/metrics"))
            nodes = json.loads(server.get("/v1/nodes"))["nodes"]
            self.assertEqual([node["state"] for node in nodes], ["live"] * 3)
            segment = json.loads(server.get("/v1/segments"))["segments"][0]
            self.assertEqual((segment["topic"], segment["state"]), ("logs", "open"))
            self.assertEqual(sorted(segment["replicas"]), [1, 2, 3])
        controllers = [json.loads(s.get("/v1/cluster"))["is_controller"]
                       for s in self.nodes.values()]
        self.assertEqual(controllers.count(True), 1)

    def test_a_cluster_of_one_serves_and_comes_back_without_flags(self) -> None:
        one = self.node(1)
        with one.client() as client:
            self.assertEqual(client.ask("REGISTER logs"), "OK")
            self.put(client, "logs", "kept")
        self.assertEqual(one.stop(), 0)
        again = Walrusd(self.data_dir, f"--raft-port={self.peer_ports[1]}", *FAST)
        self.addCleanup(lambda: again.process.poll() is None and again.stop(signal.SIGKILL))
        with again.client() as client:
            self.assertEqual(self.get_all(client, "logs"), ["kept"])
        self.assertEqual(again.stop(), 0)


class Crashing(ClusterTest):
    def test_what_was_acknowledged_survives_kill_9_of_the_leader(self) -> None:
        self.three()
        with self.nodes[1].client() as client:
            self.assertEqual(client.ask("REGISTER logs"), "OK")
        leader = self.state(1, "logs")["leader_node"]
        others = [number for number in (1, 2, 3) if number != leader]
        acked = []
        with self.nodes[others[0]].client() as client:
            for i in range(300):
                if i == 150:
                    self.nodes[leader].stop(signal.SIGKILL)
                self.put(client, "logs", f"record {i}")
                acked.append(f"record {i}")
        self.assertNotEqual(self.state(others[0], "logs")["leader_node"], leader)
        self.node(leader)  # Comes back and serves all of it, too.
        self.wait_for("three live nodes", lambda: json.loads(
            self.nodes[others[1]].get("/v1/cluster"))["live_nodes"] == 3)
        with self.nodes[leader].client() as client:
            got = self.get_all(client, "logs")
        self.assertEqual(set(acked) - set(got), set())
        self.assertEqual([record for record in got if got.count(record) > 1], [])
        self.assertEqual(got, sorted(got, key=lambda record: int(record.split()[1])))

    @unittest.skipUnless(shutil.which("kcat"), "kcat is not installed")
    def test_kcat_goes_on_when_its_leader_is_killed(self) -> None:
        self.three()
        with self.nodes[1].client() as client:
            self.assertEqual(client.ask("REGISTER clicks"), "OK")
        leader = self.state(1, "clicks")["leader_node"]
        other = next(number for number in (1, 2, 3) if number != leader)
        brokers = ",".join(f"127.0.0.1:{s.port('kafka')}" for s in self.nodes.values())
        kcat = subprocess.Popen(
            ["kcat", "-P", "-b", brokers, "-t", "clicks", "-X", "acks=all",
             "-X", "enable.idempotence=true", "-X", "linger.ms=1"],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for i in range(2000):
            kcat.stdin.write(f"click {i}\n")
            kcat.stdin.flush()
            if i == 1000:
                self.nodes[leader].stop(signal.SIGKILL)
        _, errors = kcat.communicate(timeout=walrusd_test.PATIENCE_S)
        self.assertEqual(kcat.returncode, 0, errors)
        consumed = subprocess.run(
            ["kcat", "-C", "-e", "-q", "-b", f"127.0.0.1:{self.nodes[other].port('kafka')}",
             "-t", "clicks", "-o", "beginning"],
            capture_output=True, text=True, timeout=walrusd_test.PATIENCE_S)
        self.assertEqual(consumed.stdout.split("\n")[:-1], [f"click {i}" for i in range(2000)])

    def test_the_whole_cluster_comes_back_after_kill_9_of_all(self) -> None:
        self.three()
        with self.nodes[2].client() as client:
            self.assertEqual(client.ask("REGISTER logs"), "OK")
            for i in range(50):
                self.put(client, "logs", f"record {i}")
        for server in self.nodes.values():
            server.stop(signal.SIGKILL)
        self.restart_all()
        with self.nodes[3].client() as client:
            self.assertEqual(self.get_all(client, "logs"), [f"record {i}" for i in range(50)])

    def restart_all(self) -> None:
        """At once: one alone does not become ready, so its ready line is not waited for first."""
        started = []
        for number in (1, 2, 3):
            started.append(subprocess.Popen(
                [walrusd_test.WALRUSD, f"--data-dir={self.data_dir}", *ANY_PORTS,
                 f"--node-id={number}", f"--raft-port={self.peer_ports[number]}", *FAST],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=walrusd_test.clean_environment()))
        for number, process in zip((1, 2, 3), started):
            server = Walrusd.adopt(process)
            self.addCleanup(lambda s=server: s.process.poll() is None and s.stop(signal.SIGKILL))
            self.nodes[number] = server


class Refusing(ClusterTest):
    def test_a_node_id_that_is_taken_is_78(self) -> None:
        self.three()
        other = os.path.join(self.directory, "other")
        result = run(f"--data-dir={other}", *ANY_PORTS, "--raft-port=0", *FAST, "--node-id=2",
                     f"--join=127.0.0.1:{self.peer_ports[1]}")
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertIn("cannot join", result.stderr)

    def test_nobody_to_join_is_75(self) -> None:
        self.assertIn("cannot join", self.refused(
            75, "--node-id=2", f"--join=127.0.0.1:{free_port()}"))

    def test_the_data_of_a_single_node_does_not_become_a_clusters(self) -> None:
        alone = self.start()
        self.assertEqual(alone.stop(), 0)
        for flag in ("--bootstrap", "--join=127.0.0.1:1"):
            self.assertIn("runs alone", self.refused(78, flag))
        again = self.start()
        with self.assertRaises(urllib.error.HTTPError) as error:
            again.get("/v1/cluster")
        self.assertEqual(error.exception.code, 404)
        self.assertEqual(again.stop(), 0)

    def test_a_peer_port_in_use_is_75(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            result = run(f"--data-dir={self.data_dir}", *ANY_PORTS, f"--raft-port={port}", *FAST,
                         "--bootstrap")
        self.assertEqual(result.returncode, 75, result.stderr)

    def test_a_copied_data_directory_is_78(self) -> None:
        self.three()
        self.nodes[3].stop()
        copy = os.path.join(self.directory, "copy")
        shutil.copytree(self.data_dir, copy)
        self.node(3)
        port = free_port()
        result = run(f"--data-dir={copy}", *ANY_PORTS, f"--raft-port={port}", *FAST, "--node-id=3")
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertIn("another living process", result.stderr)
        self.assertEqual(self.nodes[3].get("/readyz"), "ok\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    walrusd_test.WALRUSD = sys.argv.pop(1)
    unittest.main(verbosity=2)
