// A program outside the project that uses an installed walrus: append, read, close, reopen, read.
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "walrus/base/version.h"
#include "walrus/wal/wal.h"

namespace {

constexpr std::string_view kTopic = "greetings";
constexpr std::array<std::string_view, 3> kRecords = {"one", "", "three"};

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "consumer: failed: %s\n", what);
    std::exit(1);
}

template <class T>
T must(walrus::Result<T> result, const char* what) {
    if (!result) std::fprintf(stderr, "consumer: %s\n", result.error().to_string().c_str());
    require(result.has_value(), what);
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

std::unique_ptr<walrus::wal::Wal> open(const char* data_dir) {
    walrus::wal::Options options;
    options.data_dir = data_dir;
    options.file_size = 32 << 20;
    options.ring_size = 32 << 20;
    return must(walrus::wal::Wal::open(options), "open");
}

void write(walrus::wal::Wal& log) {
    for (std::size_t i = 0; i < kRecords.size(); ++i) {
        const auto offset = must(log.append(kTopic, walrus::as_bytes(kRecords[i])), "append");
        require(offset == walrus::Offset{i}, "offsets are dense");
    }
    const auto first = must(log.read_next(kTopic), "read_next");
    require(first.size() == 1 && walrus::as_text(first[0].data) == kRecords[0], "reads the first");
    must(log.close(), "close");
}

void read_again(walrus::wal::Wal& log) {
    require(must(log.position(kTopic), "position") == walrus::Offset{1}, "the cursor was kept");
    const auto all = must(log.read_at(kTopic, walrus::Offset{0}, 1 << 20), "read_at");
    require(all.size() == kRecords.size(), "every record was kept");
    for (std::size_t i = 0; i < kRecords.size(); ++i) {
        require(walrus::as_text(all[i].data) == kRecords[i], "a record is what was appended");
    }
    must(log.close(), "close");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DATA_DIR\n", argv[0]);
        return 2;
    }
    write(*open(argv[1]));
    read_again(*open(argv[1]));
    std::printf("consumer: ok, walrus %.*s (%.*s)\n", static_cast<int>(walrus::kVersion.size()),
                walrus::kVersion.data(), static_cast<int>(walrus::build_commit().size()),
                walrus::build_commit().data());
}
