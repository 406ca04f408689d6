// LoadSession: the writers and readers of one load, over one or more phases.
//
// Producers, payload streams and journals live as long as the session, so that a writer's records
// are numbered on from phase to phase and one journal covers them all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness/driver/driver.h"
#include "harness/metrics/machine.h"
#include "harness/metrics/paced_clock.h"
#include "harness/scenario/scenario.h"
#include "harness/workload/figures.h"
#include "harness/workload/journal.h"
#include "harness/workload/payload.h"
#include "harness/workload/writer.h"

namespace walrus::harness {

struct SessionPlan {
    std::uint64_t seed = 0;
    std::uint64_t run_id = 0;
    std::uint64_t late_after_ns = 0;
    BlockDevice device;  // Whose counters are read at both ends of a window.
};

// One phase: its workload, and who takes part.
struct PhasePlan {
    Workload workload;  // writers, topics, batch and sizes as in the session.
    bool write = true;
    bool read = false;  // workload.readers of them.
    bool until_caught_up = false;
};

struct PhaseReport {
    WriteFigures write;
    ReadFigures read;
    std::uint64_t lag_ns = 0;           // Open loop: of the writer that was latest at the end.
    std::vector<std::int64_t> backlog;  // Open loop: records due and not acked, by interval's end.
    std::string first_error;            // Of any writer or reader; "" when all went well.
};

// run() is called by one thread; it starts and joins a thread per writer and reader.
class LoadSession {
public:
    // Makes the topics and the producers for `workload`.  All arguments outlive the session.
    static Result<std::unique_ptr<LoadSession>> make(System& system, const Workload& workload,
                                                     const SessionPlan& plan, PacedClock& clock);

    // With workload.max_bytes the window ends when that much payload was sent and acknowledged;
    // otherwise after workload.duration_ns.  Without writers it ends when the readers have all.
    Result<PhaseReport> run(const PhasePlan& phase);

    std::uint64_t acknowledged() const;  // Records, in all phases.
    Journal journal() const;

private:
    // Of cache lines of its own: each writer's thread counts in its journal all the time.
    struct alignas(64) Writer {
        std::unique_ptr<Producer> producer;
        std::unique_ptr<PayloadStream> payload;
        WriterJournal journal;
        WriterPlan plan;
        WriterReport report;
        std::uint64_t finished_ns = 0;
    };
    struct Readers;

    LoadSession(System& system, const SessionPlan& plan, PacedClock& clock);

    Window window_for(const PhasePlan& phase, std::uint64_t start_ns) const;
    WriterPlan plan_for(const Workload& workload, std::uint32_t writer, const Window& window,
                        std::uint64_t start_ns) const;
    void collect_writes(const PhasePlan& phase, const Window& window, const LatencySeries& latency,
                        PhaseReport& report) const;
    void collect_backlog(PhaseReport& report) const;

    System& system_;
    const SessionPlan plan_;
    PacedClock& clock_;
    std::vector<Writer> writers_;
    std::uint32_t phases_ = 0;
};

}  // namespace walrus::harness
