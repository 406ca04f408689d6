#include "walrus/cluster/tail_copier.h"

#include "walrus/cluster/message_fields.h"

namespace walrus::cluster {

void TailCopier::start(Output& out) {
    if (done_ || failed_) return;
    reading_ = false;
    // Without batches, at the end: the answer is a gap, or the proof that the target has it all.
    const AppendRequest probe{.key = job_.key,
                              .epoch = job_.epoch,
                              .first = job_.end.length,
                              .prev_chain = job_.end.chain,
                              .recovery = true};
    out.messages.push_back({job_.self, job_.target.node, probe});
}

void TailCopier::append_state(std::string& out) const {
    wire::Writer writer(out);
    writer(job_.target, position_, reading_, done_, failed_);
}

void TailCopier::read(Output& out) {
    const ReadRequest request{
        .key = job_.key, .epoch = job_.epoch, .first = position_, .max_bytes = job_.max_bytes};
    out.messages.push_back({job_.self, job_.source.node, request});
}

void TailCopier::on(NodeId from, const AppendReply& reply, Output& out) {
    const bool ours = from == job_.target.node && reply.disk == job_.target.disk &&
                      reply.epoch == job_.epoch && !done_ && !failed_;
    if (!ours) return;
    switch (reply.status) {
        case AppendStatus::kFenced:
        case AppendStatus::kSealed:
        case AppendStatus::kCorrupt:
        case AppendStatus::kFailed: failed_ = true; return;
        case AppendStatus::kUnknown: return;
        case AppendStatus::kGap:
            if (reading_ && reply.length <= position_) return;
            reading_ = true;
            position_ = reply.length;
            return read(out);
        case AppendStatus::kOk: break;
    }
    if (reply.verified_length == job_.end.length && reply.durable_length >= job_.end.length) {
        done_ = true;
        return;
    }
    if (reply.durable_length >= job_.end.length) return start(out);
    if (!reading_ || reply.length <= position_) return;
    position_ = reply.length;
    read(out);
}

void TailCopier::on(NodeId from, const ReadReply& reply, Output& out) {
    const bool ours = from == job_.source.node && reply.epoch == job_.epoch && reading_ &&
                      reply.first == position_ && !done_ && !failed_;
    if (!ours) return;
    if (reply.status != ReadStatus::kOk) {
        // kUnknown passes; the others do not.
        failed_ = reply.status != ReadStatus::kUnknown;
        return;
    }
    AppendRequest request{.key = job_.key,
                          .epoch = job_.epoch,
                          .first = reply.first,
                          .prev_chain = reply.prev_chain,
                          .recovery = true,
                          .batches = {}};
    std::uint64_t length = reply.first;
    for (const Batch& batch : reply.batches) {
        length += batch.records;
        if (length > job_.end.length) break;
        request.batches.push_back(batch);
    }
    if (request.batches.empty()) {
        failed_ = true;  // The source's boundaries are not those of the end.
        return;
    }
    out.messages.push_back({job_.self, job_.target.node, std::move(request)});
}

}  // namespace walrus::cluster
