#!/usr/bin/env python3
"""kafka-python against walrusd: a client that shares no code with librdkafka.

WALRUSD is the program.  Exit code 77: the library is not installed.
"""

import os
import sys
import threading
import time
import unittest

from walrusd_process import PATIENCE_S, Walrusd

try:
    import kafka
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
    from kafka.errors import (
        InvalidReplicationFactorError,
        InvalidTopicError,
        TopicAlreadyExistsError,
        UnknownTopicOrPartitionError,
    )
except ImportError:
    kafka = None

SKIPPED = 77


def until(condition, what: str):
    """Asks again and again; the condition itself waits for the server."""
    end = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"still waiting for {what}")
    return found


class Member(threading.Thread):
    """A consumer on a thread of its own: while it joins, poll() waits for the other members."""

    def __init__(self, make_consumer):
        super().__init__(daemon=True)
        self.make_consumer, self.parts, self.ended = make_consumer, set(), threading.Event()
        self.start()

    def run(self):
        consumer = self.make_consumer()
        while not self.ended.is_set():
            consumer.poll(50)
            self.parts = consumer.assignment()
        consumer.close(autocommit=False)

    def leave(self):
        self.ended.set()
        self.join(PATIENCE_S)


class KafkaPythonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Walrusd(os.environ["WALRUSD"])

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def producer(self, **options) -> "KafkaProducer":
        producer = KafkaProducer(bootstrap_servers=self.server.kafka, **options)
        self.addCleanup(producer.close)
        return producer

    def consumer(self, *topics, **options) -> "KafkaConsumer":
        options = {"auto_offset_reset": "earliest", "heartbeat_interval_ms": 200, **options}
        consumer = KafkaConsumer(*topics, bootstrap_servers=self.server.kafka, **options)
        self.addCleanup(consumer.close, autocommit=False)
        return consumer

    def admin(self) -> "KafkaAdminClient":
        admin = KafkaAdminClient(bootstrap_servers=self.server.kafka)
        self.addCleanup(admin.close)
        return admin

    def produce(self, topic: str, values: list[bytes], **options) -> list:
        producer = self.producer(**options)
        sent = [producer.send(topic, value) for value in values]
        producer.flush(PATIENCE_S)
        return [future.get(PATIENCE_S) for future in sent]

    @staticmethod
    def read(consumer, count: int) -> list[bytes]:
        values = []

        def enough():
            for records in consumer.poll(500).values():
                values.extend(record.value for record in records)
            return len(values) >= count

        until(enough, f"{count} records, there are {len(values)}")
        return values

    def test_what_is_sent_is_read(self):
        for acks in (0, 1, "all"):
            with self.subTest(acks=acks):
                values = [b"value %d" % i for i in range(500)]
                metadata = self.produce(f"plain-{acks}", values, acks=acks)
                if acks != 0:
                    self.assertEqual([m.offset for m in metadata], list(range(500)))
                self.assertEqual(self.read(self.consumer(f"plain-{acks}"), 500), values)

    def test_gzip(self):
        values = [b"x" * 1000 + b"%d" % i for i in range(100)]
        self.produce("zipped", values, compression_type="gzip")
        self.assertEqual(self.read(self.consumer("zipped"), 100), values)

    def test_offsets_by_time_and_by_end(self):
        producer = self.producer()
        for i in range(10):
            producer.send("timed", b"%d" % i, timestamp_ms=1_600_000_000_000 + i * 1000)
        producer.flush(PATIENCE_S)
        consumer = self.consumer()
        place = TopicPartition("timed", 0)
        self.assertEqual(consumer.beginning_offsets([place]), {place: 0})
        self.assertEqual(consumer.end_offsets([place]), {place: 10})
        found = consumer.offsets_for_times({place: 1_600_000_003_500})[place]
        self.assertEqual((found.offset, found.timestamp), (4, 1_600_000_004_000))
        self.assertIsNone(consumer.offsets_for_times({place: 1_700_000_000_000})[place])

    def test_committed_offsets_are_there_for_the_next_member(self):
        self.produce("resumed", [b"%d" % i for i in range(20)])
        first = self.consumer("resumed", group_id="resume", enable_auto_commit=False)
        self.read(first, 20)
        place = TopicPartition("resumed", 0)
        first.commit({place: kafka.OffsetAndMetadata(7, "a note")})
        self.assertEqual(first.committed(place), 7)
        first.close(autocommit=False)
        self.server.kill()
        self.server.start()
        second = self.consumer("resumed", group_id="resume", enable_auto_commit=False)
        self.assertEqual(self.read(second, 13), [b"%d" % i for i in range(7, 20)])

    def test_members_come_and_go_and_every_partition_has_one_reader(self):
        self.admin().create_topics([NewTopic("spread", 6, 1)])
        places = {TopicPartition("spread", i) for i in range(6)}
        members = []
        pause = threading.Event()

        def make_consumer():
            return KafkaConsumer(
                "spread",
                bootstrap_servers=self.server.kafka,
                group_id="spread",
                enable_auto_commit=False,
                heartbeat_interval_ms=200,
            )

        def settled():
            pause.wait(0.05)
            parts = [member.parts for member in members]
            return set().union(*parts) == places and sum(map(len, parts)) == 6 and all(parts)

        try:
            for count in (1, 2, 3):
                members.append(Member(make_consumer))
                until(settled, f"{count} members")
            members.pop().leave()
            until(settled, "two members after one left")
        finally:
            for member in members:
                member.leave()

    def test_topics_and_configs_are_managed(self):
        admin = self.admin()
        admin.create_topics([NewTopic("managed", 3, 1, topic_configs={"retention.ms": "5000"})])
        with self.assertRaises(TopicAlreadyExistsError):
            admin.create_topics([NewTopic("managed", 1, 1)])
        with self.assertRaises(InvalidReplicationFactorError):
            admin.create_topics([NewTopic("wide", 1, 3)])
        with self.assertRaises(InvalidTopicError):
            admin.create_topics([NewTopic("no/name", 1, 1)])
        described = admin.describe_topics(["managed"])
        self.assertEqual(len(described[0]["partitions"]), 3)
        resource = ConfigResource(ConfigResourceType.TOPIC, "managed")
        configs = {
            config[0]: config[1]
            for response in admin.describe_configs([resource])
            for answer in response.resources
            for config in answer[4]
        }
        self.assertEqual(configs["retention.ms"], "5000")
        self.assertIn("max.message.bytes", configs)
        admin.delete_topics(["managed"])
        with self.assertRaises(UnknownTopicOrPartitionError):
            admin.delete_topics(["managed"])

    def test_groups_are_listed_and_described(self):
        self.produce("watched", [b"x"])
        consumer = self.consumer("watched", group_id="watchers", client_id="watcher")
        self.read(consumer, 1)
        consumer.commit()
        admin = self.admin()
        self.assertIn(("watchers", "consumer"), admin.list_consumer_groups())
        group = admin.describe_consumer_groups(["watchers"])[0]
        self.assertEqual(group.state, "Stable")
        self.assertEqual([member.client_id for member in group.members], ["watcher"])
        offsets = admin.list_consumer_group_offsets("watchers")
        self.assertEqual(offsets[TopicPartition("watched", 0)].offset, 1)


if __name__ == "__main__":
    if kafka is None:
        print("SKIPPED: there is no kafka-python; scripts/setup.sh installs python3-kafka")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
