// The child of kill_test.cc: appends from several threads, tells every acknowledgement, and never
// ends by itself.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <thread>
#include <vector>

#include "walrus/wal/kill_load.h"

namespace walrus::wal {
namespace {

void tell(const KillAck& ack) {
    while (::write(STDOUT_FILENO, &ack, sizeof ack) < 0 && errno == EINTR) {
    }
}

[[noreturn]] void fail(const char* what, const Error& error) {
    std::fprintf(stderr, "kill_child: %s: %s\n", what, error.to_string().c_str());
    tell({KillAck::kFailed, 0, 0, 0, 0});
    _exit(1);
}

struct PendingAck {
    KillAck ack;
};

void on_ack(void* context, Offset, const Status& status) {
    auto* pending = static_cast<PendingAck*>(context);
    if (!status) fail("asynchronous append", status.error());
    tell(pending->ack);
    delete pending;
}

// Batches of 1 to 4, now and then asynchronous, with a shared record and a cursor in between.
[[noreturn]] void write_for_ever(Wal& wal, std::uint32_t writer) {
    const std::string topic = kill_topic(writer);
    const Result<TopicInfo> info = wal.topic(topic);
    std::uint64_t at = info ? info->log_end_offset.value : 0;
    for (std::uint64_t turn = 0;; ++turn) {
        const std::uint64_t count = turn % 5 == 4 ? 4 : 1;
        std::vector<std::string> texts;
        std::vector<Bytes> batch;
        for (std::uint64_t i = 0; i < count; ++i)
            texts.push_back(kill_record(writer, at + i, at, count));
        for (const std::string& text : texts) batch.push_back(as_bytes(text));
        const KillAck ack{KillAck::kOwn, writer, at, count, 0};
        if (turn % 7 < 3) {
            const Result<Ticket> ticket =
                wal.append_async(topic, batch, {on_ack, new PendingAck{ack}});
            if (!ticket) fail("append_async", ticket.error());
            if (ticket->first_offset.value != at) fail("append_async: offset", {Errc::kIo, topic});
        } else {
            const Result<Offset> offset = wal.append_batch(topic, batch);
            if (!offset) fail("append", offset.error());
            if (offset->value != at) fail("append: offset", {Errc::kIo, topic});
            tell(ack);
            if (turn % 16 == 15) {
                const Status moved = wal.commit(topic, kKillConsumer, *offset);
                if (!moved) fail("commit", moved.error());
                tell({KillAck::kCursor, writer, at, 0, 0});
            }
        }
        at += count;
        if (turn % 4 == 0) {
            const std::string text = kill_record(writer, at, at, 1);
            const Result<Offset> offset = wal.append(kKillSharedTopic, as_bytes(text));
            if (!offset) fail("append to the shared topic", offset.error());
            tell({KillAck::kShared, writer, offset->value, 1, at});
        }
    }
}

int run(int argc, char** argv) {
    if (argc != 4) return 2;
    const Result<Backend> backend = parse_backend(argv[2]);
    const Result<DurabilityClass> durability = parse_durability_class(argv[3]);
    if (!backend || !durability) return 2;
    const Result<std::unique_ptr<Wal>> wal =
        Wal::open(kill_options(argv[1], *backend, *durability));
    if (!wal) fail("open", wal.error());
    tell({KillAck::kReady, 0, 0, 0, 0});
    std::vector<std::thread> writers;
    for (std::uint32_t i = 0; i < kKillWriters; ++i)
        writers.emplace_back([&wal, i] { write_for_ever(**wal, i); });
    for (std::thread& writer : writers) writer.join();
    return 0;
}

}  // namespace
}  // namespace walrus::wal

int main(int argc, char** argv) {
    return walrus::wal::run(argc, argv);
}
