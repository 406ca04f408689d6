// The fields of peer messages, in their order (wire.h).  Private to this room.
#pragma once

#include "walrus/cluster/message.h"
#include "walrus/cluster/metadata_fields.h"

namespace walrus::cluster {

template <class Io>
void fields(Io& io, Like<Io, ProducerStamp>& v) {
    io(v.id, v.epoch, v.first_sequence);
}
template <class Io>
void fields(Io& io, Like<Io, Batch>& v) {
    io(v.records, v.producer, v.preamble, v.data);
}
template <class Io>
void fields(Io& io, Like<Io, Mark>& v) {
    io(v.length, v.bytes, v.chain);
}
template <class Io>
void fields(Io& io, Like<Io, AppendRequest>& v) {
    io(v.key, v.epoch, v.first, v.prev_chain, v.high_watermark, v.recovery, v.batches);
}
template <class Io>
void fields(Io& io, Like<Io, AppendReply>& v) {
    io(v.key, v.epoch, v.disk, v.status, v.promised, v.length, v.durable_length);
    io(v.verified_length);
}
template <class Io>
void fields(Io& io, Like<Io, FenceRequest>& v) {
    io(v.key, v.epoch);
}
template <class Io>
void fields(Io& io, Like<Io, FenceReply>& v) {
    io(v.key, v.epoch, v.disk, v.status, v.promised, v.length, v.intact, v.high_watermark);
    io(v.lossy);
}
template <class Io>
void fields(Io& io, Like<Io, ReadRequest>& v) {
    io(v.key, v.epoch, v.first, v.max_bytes);
}
template <class Io>
void fields(Io& io, Like<Io, ReadReply>& v) {
    io(v.key, v.epoch, v.status, v.first, v.prev_chain, v.batches);
}
template <class Io>
void fields(Io& io, Like<Io, ConfirmRequest>& v) {
    io(v.key, v.epoch, v.round);
}
template <class Io>
void fields(Io& io, Like<Io, ConfirmReply>& v) {
    io(v.key, v.epoch, v.disk, v.round, v.confirmed);
}
template <class Io>
void fields(Io& io, Like<Io, ProducersRequest>& v) {
    io(v.key, v.length);
}
template <class Io>
void fields(Io& io, Like<Io, ProducersReply>& v) {
    io(v.key, v.known, v.table);
}
template <class Io>
void fields(Io& io, Like<Io, NodeHeartbeat>& v) {
    io(v.boot, v.disk);
}
template <class Io>
void fields(Io& io, Like<Io, CopyRequest>& v) {
    io(v.key);
}
template <class Io>
void fields(Io& io, Like<Io, Message>& v) {
    io(v.from, v.to, v.body);
}

}  // namespace walrus::cluster
