#include "harness/resilience/run_builder.h"

#include "harness/workload/payload.h"

namespace walrus::harness {

void RunBuilder::add(std::uint64_t offset, Bytes record) {
    next_offset_ = offset + 1;
    RecordIdentity identity;
    if (inspect_payload(record, identity) != PayloadState::kIntact) {
        poll_.damaged.push_back(offset);
        return;
    }
    if (identity.run_id != run_id_) {
        poll_.foreign.push_back(offset);
        return;
    }
    if (!poll_.runs.empty()) {
        RecordRun& last = poll_.runs.back();
        const bool follows = last.writer == identity.writer &&
                             last.sequence + last.count == identity.sequence &&
                             last.offset + last.count == offset;
        if (follows) {
            ++last.count;
            return;
        }
    }
    poll_.runs.push_back(
        {.offset = offset, .writer = identity.writer, .sequence = identity.sequence, .count = 1});
}

}  // namespace walrus::harness
