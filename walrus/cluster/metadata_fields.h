// The stored fields of the metadata, in their order (wire.h).  Private to the codecs.
#pragma once

#include "walrus/cluster/command.h"
#include "walrus/cluster/wire.h"

namespace walrus::cluster {

using wire::Like;

template <class Io>
void fields(Io& io, Like<Io, SegmentKey>& v) {
    io(v.topic, v.segment);
}
template <class Io>
void fields(Io& io, Like<Io, LeaderId>& v) {
    io(v.node, v.boot);
}
template <class Io>
void fields(Io& io, Like<Io, ReplicaId>& v) {
    io(v.node, v.disk);
}
template <class Io>
void fields(Io& io, Like<Io, Node>& v) {
    io(v.id, v.peer_address, v.text_address, v.kafka_address, v.boot, v.disk, v.state, v.version);
}
template <class Io>
void fields(Io& io, Like<Io, SegmentLimits>& v) {
    io(v.max_records, v.max_bytes, v.max_age_ms);
}
template <class Io>
void fields(Io& io, Like<Io, Retention>& v) {
    io(v.max_age_ms, v.max_bytes, v.max_records, v.reclaim_read);
}
template <class Io>
void fields(Io& io, Like<Io, TopicConfig>& v) {
    io(v.replication_factor, v.ack_quorum, v.min_ack, v.durability, v.limits, v.retention);
}
template <class Io>
void fields(Io& io, Like<Io, Segment>& v) {
    io(v.number, v.epoch, v.state, v.leader, v.replicas, v.ack_quorum, v.durability);
    io(v.max_records, v.base, v.length, v.bytes, v.chain, v.lost_records);
    io(v.opened_ms, v.sealed_ms, v.version);
}
template <class Io>
void fields(Io& io, Like<Io, Cursor>& v) {
    io(v.offset, v.generation, v.owner);
}
template <class Io>
void fields(Io& io, Like<Io, Topic>& v) {
    io(v.id, v.name, v.config, v.version, v.segments, v.cursors);
}
template <class Io>
void fields(Io& io, Like<Io, NamedProducer>& v) {
    io(v.id, v.epoch, v.last_used);
}

template <class Io>
void fields(Io& io, Like<Io, UpsertNode>& v) {
    io(v.id, v.boot, v.disk, v.expect_boot, v.peer_address, v.text_address, v.kafka_address);
}
template <class Io>
void fields(Io& io, Like<Io, SetNodeState>& v) {
    io(v.id, v.state, v.expect_version);
}
template <class Io>
void fields(Io& io, Like<Io, NextSegment>& v) {
    io(v.leader, v.replicas, v.wall_ms);
}
template <class Io>
void fields(Io& io, Like<Io, CreateTopic>& v) {
    io(v.name, v.config, v.next);
}
template <class Io>
void fields(Io& io, Like<Io, UpdateTopic>& v) {
    io(v.topic, v.expect_version, v.config);
}
template <class Io>
void fields(Io& io, Like<Io, DeleteTopic>& v) {
    io(v.topic, v.expect_version);
}
template <class Io>
void fields(Io& io, Like<Io, SealedContent>& v) {
    io(v.length, v.bytes, v.chain);
}
template <class Io>
void fields(Io& io, Like<Io, SealAndOpen>& v) {
    io(v.key, v.expect_epoch, v.content, v.holders, v.next);
}
template <class Io>
void fields(Io& io, Like<Io, BeginSeal>& v) {
    io(v.key, v.expect_epoch);
}
template <class Io>
void fields(Io& io, Like<Io, Seal>& v) {
    io(v.key, v.expect_epoch, v.content, v.holders, v.next, v.wall_ms);
}
template <class Io>
void fields(Io& io, Like<Io, UncleanSeal>& v) {
    io(v.key, v.expect_epoch, v.content, v.holders, v.reason, v.wall_ms);
}
template <class Io>
void fields(Io& io, Like<Io, OpenSegment>& v) {
    io(v.topic, v.expect_last, v.next);
}
template <class Io>
void fields(Io& io, Like<Io, ChangeReplicas>& v) {
    io(v.key, v.expect_version, v.add, v.remove, v.holder);
}
template <class Io>
void fields(Io& io, Like<Io, DropSegments>& v) {
    io(v.topic, v.first_kept);
}
template <class Io>
void fields(Io& io, Like<Io, AcquireCursor>& v) {
    io(v.topic, v.consumer, v.owner, v.expect_generation, v.reset_to);
}
template <class Io>
void fields(Io& io, Like<Io, CursorCommit>& v) {
    io(v.topic, v.consumer, v.generation, v.offset);
}
template <class Io>
void fields(Io& io, Like<Io, CommitCursors>& v) {
    io(v.commits);
}
template <class Io>
void fields(Io& io, Like<Io, DeleteCursor>& v) {
    io(v.topic, v.consumer, v.expect_generation);
}
template <class Io>
void fields(Io& io, Like<Io, InitProducer>& v) {
    io(v.name);
}
template <class Io>
void fields(Io& io, Like<Io, ExpireProducers>& v) {
    io(v.unused_since);
}

template <class Io>
void fields(Io& io, Like<Io, CommandId>& v) {
    io(v.client, v.sequence);
}
template <class Io>
void fields(Io& io, Like<Io, Command>& v) {
    io(v.id, v.body);
}
template <class Io>
void fields(Io& io, Like<Io, CommandResult>& v) {
    io(v.outcome, v.index, v.topic, v.segment, v.epoch, v.producer, v.producer_epoch, v.items);
}

}  // namespace walrus::cluster
