// Journal: what became of every record a writer sent.  Three outcomes, never two.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"

namespace walrus::harness {

enum class Outcome {
    kAcknowledged,  // Must be there, once.
    kFailed,        // Must not be there.
    kUnknown,       // May be there, once: a timeout, or in flight when the run ended.
};
std::string_view outcome_name(Outcome outcome);
// Of an append that ended with an error: only some say for certain that nothing was stored.
Outcome outcome_of_error(const Error& error);

// Records [begin, end) of a writer that were not acknowledged.
struct Exception {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    Outcome outcome = Outcome::kUnknown;

    bool operator==(const Exception&) const = default;
};

// One writer's records [0, sent): acknowledged unless an exception says otherwise.
struct WriterJournal {
    std::uint64_t sent = 0;
    std::vector<Exception> exceptions;  // Ascending, disjoint.

    // Records [sequence, sequence + count) had this outcome; calls come in ascending order.
    void add(std::uint64_t sequence, std::uint64_t count, Outcome outcome) {
        sent = sequence + count;
        if (outcome != Outcome::kAcknowledged) add_exception(sequence, count, outcome);
    }
    std::uint64_t acknowledged() const;
    std::uint64_t count_of(Outcome outcome) const;
    Outcome outcome_of(std::uint64_t sequence) const;

    bool operator==(const WriterJournal&) const = default;

private:
    void add_exception(std::uint64_t sequence, std::uint64_t count, Outcome outcome);
};

// By writer.
using Journal = std::vector<WriterJournal>;

}  // namespace walrus::harness
