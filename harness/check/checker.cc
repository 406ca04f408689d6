#include "harness/check/checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace walrus::harness {
namespace {

constexpr std::size_t kExamplesKept = 5;
constexpr std::size_t kWordBits = 64;

std::string name_record(const RecordIdentity& identity) {
    return fmt::format("writer {} record {}", identity.writer, identity.sequence);
}

}  // namespace

std::string_view anomaly_name(AnomalyKind kind) {
    switch (kind) {
        case AnomalyKind::kLostWrite: return "lost-write";
        case AnomalyKind::kDuplicate: return "duplicate";
        case AnomalyKind::kNonmonotonicPoll: return "nonmonotonic-poll";
        case AnomalyKind::kCorrupt: return "corrupt";
        case AnomalyKind::kPhantom: return "phantom";
        case AnomalyKind::kFailedVisible: return "G1a";
        case AnomalyKind::kInconsistentOffsets: return "inconsistent-offsets";
        case AnomalyKind::kPollSkip: return "poll-skip";
        case AnomalyKind::kUnseen: return "unseen";
        case AnomalyKind::kReplicaDivergence: return "replica-divergence";
    }
    return "unknown";
}

bool Verdict::ok() const {
    return std::ranges::all_of(anomalies, [](const Anomaly& a) { return a.count == 0; });
}

std::string Verdict::summary() const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < anomalies.size(); ++i) {
        if (anomalies[i].count == 0) continue;
        parts.push_back(fmt::format("{}: {} ({}{})", anomaly_name(static_cast<AnomalyKind>(i)),
                                    anomalies[i].count, fmt::join(anomalies[i].examples, ", "),
                                    anomalies[i].count > kExamplesKept ? ", ..." : ""));
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

Checker::Checker(std::uint64_t run_id, const Journal& journal)
    : run_id_(run_id), journal_(journal), writers_(journal.size()) {
    for (std::size_t i = 0; i < journal.size(); ++i) {
        writers_[i].seen.resize(journal[i].sent / kWordBits + 1);
        verdict_.acknowledged += journal[i].acknowledged();
    }
}

void Checker::begin_topic() {
    for (WriterState& writer : writers_) writer.next_in_topic = 0;
}

void Checker::note(AnomalyKind kind, const std::string& example) {
    Anomaly& anomaly = verdict_.anomalies[static_cast<std::size_t>(kind)];
    ++anomaly.count;
    if (anomaly.examples.size() < kExamplesKept) anomaly.examples.push_back(example);
}

void Checker::observe(Bytes record) {
    ++verdict_.read;
    RecordIdentity identity;
    const PayloadState state = inspect_payload(record, identity);
    if (state == PayloadState::kDamagedHeader) {
        note(AnomalyKind::kCorrupt,
             fmt::format("header of the record read as number {}", verdict_.read - 1));
        return;
    }
    if (identity.run_id != run_id_ || identity.writer >= writers_.size() ||
        identity.sequence >= journal_[identity.writer].sent) {
        note(AnomalyKind::kPhantom, name_record(identity));
        return;
    }
    if (state == PayloadState::kDamagedBody) note(AnomalyKind::kCorrupt, name_record(identity));

    WriterState& writer = writers_[identity.writer];
    std::uint64_t& word = writer.seen[identity.sequence / kWordBits];
    const std::uint64_t bit = std::uint64_t{1} << (identity.sequence % kWordBits);
    if ((word & bit) != 0) {
        note(AnomalyKind::kDuplicate, name_record(identity));
        return;
    }
    word |= bit;
    if (identity.sequence < writer.next_in_topic) {
        note(AnomalyKind::kNonmonotonicPoll, name_record(identity));
    } else {
        writer.next_in_topic = identity.sequence + 1;
    }
    if (journal_[identity.writer].exceptions.empty()) return;
    const Outcome outcome = journal_[identity.writer].outcome_of(identity.sequence);
    if (outcome == Outcome::kFailed) note(AnomalyKind::kFailedVisible, name_record(identity));
    if (outcome == Outcome::kUnknown) ++verdict_.unknown_found;
}

Verdict Checker::finish() {
    for (std::uint32_t i = 0; i < writers_.size(); ++i) {
        const WriterJournal& journal = journal_[i];
        for (std::uint64_t sequence = 0; sequence < journal.sent; ++sequence) {
            const std::uint64_t word = writers_[i].seen[sequence / kWordBits];
            if (word == ~std::uint64_t{0}) {
                sequence |= kWordBits - 1;  // All of this word was read.
                continue;
            }
            if ((word >> (sequence % kWordBits) & 1) != 0) continue;
            if (journal.outcome_of(sequence) != Outcome::kAcknowledged) continue;
            note(AnomalyKind::kLostWrite, name_record({.writer = i, .sequence = sequence}));
        }
    }
    return verdict_;
}

}  // namespace walrus::harness
