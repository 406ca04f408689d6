// ProducerTable: what a topic remembers of its idempotent producers.
//
// It follows from the log alone: every replica that stores a segment keeps the same table, a new
// leader takes it from a holder of the sealed predecessor, and the first batch of each segment
// carries it.  So a batch that was sealed without its acknowledgement is recognised when the
// producer sends it again, and one that was dropped is accepted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/cluster/batch.h"

namespace walrus::cluster {

class ProducerTable {
public:
    static constexpr std::size_t kWindow = 5;  // As many as clients keep in flight.
    // The producer that wrote longest ago (by offset, not by time) is forgotten first.
    static constexpr std::size_t kMaxProducers = 10'000;

    enum class Verdict : std::uint8_t {
        kNew,                 // Append it.
        kDuplicate,           // Known; `offset` is where it is.
        kForgottenDuplicate,  // Known to be older than the window.
        kOutOfOrder,          // Something before it is missing, or the producer is not known.
        kFenced,              // A newer incarnation of the producer has written.
    };
    struct Check {
        Verdict verdict;
        Offset offset = {};
    };

    Check check(const ProducerStamp& stamp, std::uint32_t records) const;
    // Remembers an appended batch, whatever check() would say: the log is the truth.
    void record(const ProducerStamp& stamp, std::uint32_t records, Offset offset);

    struct Remembered {
        std::uint32_t first_sequence = 0;
        std::uint32_t records = 0;
        Offset offset = {};

        bool operator==(const Remembered&) const = default;
    };
    struct Producer {
        std::uint16_t epoch = 0;
        std::uint32_t next_sequence = 0;
        std::vector<Remembered> window = {};  // Oldest first, never empty, at most kWindow.

        bool operator==(const Producer&) const = default;
    };
    const std::map<ProducerId, Producer>& producers() const { return producers_; }

    std::string encode() const;
    // kCorruption: not a table.
    static Result<ProducerTable> decode(Bytes bytes);

    bool operator==(const ProducerTable&) const = default;

private:
    std::map<ProducerId, Producer> producers_;
};

}  // namespace walrus::cluster
