#include "walrus/client/cli/context.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <iostream>
#include <limits>

#include "walrus/base/clock.h"

namespace walrus::client {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kShowAfterNs = 500 * kNsPerMs;
constexpr std::uint64_t kShowEveryNs = 200 * kNsPerMs;

ExitCode exit_code(Errc code) {
    switch (code) {
        case Errc::kInvalidArgument: return ExitCode::kUsage;
        case Errc::kNotFound: return ExitCode::kNotFound;
        case Errc::kTimeout:
        case Errc::kClosed:
        case Errc::kNotLeader: return ExitCode::kUnavailable;
        case Errc::kAlreadyExists:
        case Errc::kOutOfRange:
        case Errc::kTooLarge:
        case Errc::kNoSpace:
        case Errc::kResourceExhausted:
        case Errc::kBusy:
        case Errc::kIo:
        case Errc::kCorruption:
        case Errc::kUnsupported:
        case Errc::kPoisoned:
        case Errc::kFenced: break;
    }
    return ExitCode::kFailure;
}

const char* advice(Errc code) {
    switch (code) {
        case Errc::kClosed:
            return "is walrusd running there? --addr, --kafka and --admin say where to look; "
                   "`walrus-cli doctor` looks at all of them";
        case Errc::kTimeout: return "try again, or give it longer with --timeout";
        case Errc::kNotLeader: return "ask the node that leads the topic: --addr, --kafka";
        case Errc::kNotFound:
            return "`walrus-cli topics list` and `groups list` show what is there";
        case Errc::kUnsupported: return "the server does not offer this; update it, or do without";
        case Errc::kNoSpace: return "the server's disk is full: free some space there";
        case Errc::kInvalidArgument: return "see --help";
        case Errc::kOutOfRange: return "`walrus-cli offsets TOPIC` shows which offsets are there";
        case Errc::kTooLarge:
        case Errc::kAlreadyExists:
        case Errc::kResourceExhausted:
        case Errc::kBusy:
        case Errc::kIo:
        case Errc::kCorruption:
        case Errc::kPoisoned:
        case Errc::kFenced: break;
    }
    return nullptr;
}

volatile sig_atomic_t interrupt_seen = 0;

void on_interrupt(int) {
    interrupt_seen = 1;
}

}  // namespace

Result<KafkaOptions> Context::kafka_options() const {
    KafkaOptions options{.bootstrap = kafka_address, .timeout_ms = timeout_ms};
    options.client_id = "walrus-cli";
    for (const std::string& property : properties) {
        const std::size_t equals = property.find('=');
        if (equals == std::string::npos || equals == 0)
            return Error{Errc::kInvalidArgument, "-X " + property + ": write name=value"};
        options.properties.emplace_back(property.substr(0, equals), property.substr(equals + 1));
    }
    if (verbose)
        options.log = [](std::string_view text) { fmt::print(stderr, "librdkafka: {}\n", text); };
    return options;
}

Result<TextClient> Context::connect_text() const {
    const auto address = parse_address(text_address, kDefaultTextPort);
    if (!address) return address.error();
    auto client = TextClient::connect(*address, {.timeout_ms = timeout_ms});
    // On standard error, where it is in nobody's way: `get` prints the record and nothing else.
    if (client) note("\u2192 connected target: " + text_address);
    return client;
}

ExitCode Context::fail(const Error& error) const {
    std::cout.flush();
    fmt::print(stderr, "walrus-cli: {}\n", error.message);
    if (const char* text = advice(error.code); text != nullptr && !quiet)
        fmt::print(stderr, "  {}\n", text);
    return exit_code(error.code);
}

ExitCode Context::usage(std::string_view what) const {
    return fail({Errc::kInvalidArgument, std::string(what)});
}

void Context::note(std::string_view text) const {
    if (!quiet) fmt::print(stderr, "{}\n", text);
}

ExitCode Context::finish(ExitCode code) const {
    std::cout.flush();
    if (std::cout.good()) return code;
    fmt::print(stderr, "walrus-cli: could not write to standard output\n");
    return ExitCode::kFailure;
}

bool Context::confirmed(std::string_view question) const {
    if (yes) return true;
    if (::isatty(STDIN_FILENO) == 0) {
        fmt::print(stderr, "walrus-cli: this cannot be undone; pass --yes to do it\n");
        return false;
    }
    fmt::print(stderr, "{} [y/N] ", question);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

Result<std::uint32_t> parse_timeout_ms(std::string_view text) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
    double factor = 0;
    if (unit.empty() || unit == "s") factor = 1000;
    if (unit == "ms") factor = 1;
    if (unit == "m") factor = 60'000;
    if (unit == "h") factor = 3'600'000;
    const double value = number * factor;
    if (error != std::errc{} || !(value >= 1) ||
        value > std::numeric_limits<std::int32_t>::max() / 2)
        return Error{Errc::kInvalidArgument,
                     "duration \"" + std::string(text) + "\": write a number and ms, s, m or h"};
    return static_cast<std::uint32_t>(value);
}

// --- progress ---

void Progress::update(std::uint64_t records, std::uint64_t bytes) {
    if (!on_) return;
    const std::uint64_t now = system_clock().monotonic_ns();
    if (begin_ns_ == 0) begin_ns_ = now;
    if (now - begin_ns_ < kShowAfterNs || now - shown_ns_ < kShowEveryNs) return;
    shown_ns_ = now;
    visible_ = true;
    const double seconds = static_cast<double>(now - begin_ns_) / 1e9;
    fmt::print(stderr, "\r{}: {} records, {:.1f} MiB, {:.0f} records/s\x1b[K", what_, records,
               static_cast<double>(bytes) / (1 << 20), static_cast<double>(records) / seconds);
}

void Progress::clear() {
    if (visible_) fmt::print(stderr, "\r\x1b[K");
    visible_ = false;
}

// --- signals ---

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    // A second one ends the program; and what waits is woken (no SA_RESTART).
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
    return interrupt_seen != 0;
}

}  // namespace walrus::client
