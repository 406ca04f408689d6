#include "harness/workload/journal.h"

#include <algorithm>

namespace walrus::harness {

std::string_view outcome_name(Outcome outcome) {
    switch (outcome) {
        case Outcome::kAcknowledged: return "ok";
        case Outcome::kFailed: return "fail";
        case Outcome::kUnknown: return "unknown";
    }
    return "unknown";
}

void WriterJournal::add_exception(std::uint64_t sequence, std::uint64_t count, Outcome outcome) {
    if (!exceptions.empty() && exceptions.back().end == sequence &&
        exceptions.back().outcome == outcome) {
        exceptions.back().end += count;
        return;
    }
    exceptions.push_back({sequence, sequence + count, outcome});
}

Outcome outcome_of_error(const Error& error) {
    return error.code == Errc::kTimeout || error.code == Errc::kIo ? Outcome::kUnknown
                                                                   : Outcome::kFailed;
}

std::uint64_t WriterJournal::acknowledged() const {
    return sent - count_of(Outcome::kFailed) - count_of(Outcome::kUnknown);
}

std::uint64_t WriterJournal::count_of(Outcome outcome) const {
    if (outcome == Outcome::kAcknowledged) return acknowledged();
    std::uint64_t count = 0;
    for (const Exception& exception : exceptions) {
        if (exception.outcome == outcome) count += exception.end - exception.begin;
    }
    return count;
}

Outcome WriterJournal::outcome_of(std::uint64_t sequence) const {
    const auto after = std::ranges::upper_bound(exceptions, sequence, {}, &Exception::end);
    if (after == exceptions.end() || sequence < after->begin) return Outcome::kAcknowledged;
    return after->outcome;
}

}  // namespace walrus::harness
