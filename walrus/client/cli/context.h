// What every verb of walrus-cli is given: where the servers are, and how to speak to people.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/address.h"
#include "walrus/client/kafka_options.h"
#include "walrus/client/text_client.h"

namespace walrus::client {

// What the program's exit code says.
enum class ExitCode {
    kOk = 0,
    kFailure = 1,
    kUsage = 2,
    kNotFound = 3,
    kUnavailable = 4,  // The server is not there, or did not answer in time.
    kInterrupted = 130,
};

// Data goes to standard output in this form; everything else goes to standard error as text.
enum class Output {
    kText,
    kJson,       // One document.
    kJsonLines,  // One document a line.
};

// What the environment says; only main.cc reads it.  Empty: it says nothing.
struct Environment {
    std::string text_address;    // WALRUS_ADDR
    std::string kafka_address;   // WALRUS_KAFKA
    std::string admin_address;   // WALRUS_ADMIN
    std::string state_home;      // XDG_STATE_HOME
    std::string home;            // HOME
    bool no_colour = false;      // NO_COLOR is set.
    bool dumb_terminal = false;  // TERM=dumb: nothing can be overwritten.
};

struct Context {
    std::string text_address = "127.0.0.1:8080";
    std::string kafka_address = "127.0.0.1:9092";
    std::string admin_address = "127.0.0.1:9090";
    std::vector<std::string> properties;  // "name=value", of librdkafka.
    Output output = Output::kText;
    std::uint32_t timeout_ms = 10'000;
    bool quiet = false;
    bool yes = false;      // Destructive verbs do not ask.
    bool verbose = false;  // Show what librdkafka says.
    bool colours = false;  // On standard output.
    bool stdout_terminal = false;
    bool progress = false;     // A line on standard error that is overwritten.
    std::string history_file;  // "": none.

    // Set by the verb that was asked for; run after parsing.
    std::function<ExitCode()> work;

    bool json() const { return output != Output::kText; }

    Result<KafkaOptions> kafka_options() const;
    Result<TextClient> connect_text() const;

    // Says what went wrong and what to do about it; returns the exit code that tells scripts.
    ExitCode fail(const Error& error) const;
    ExitCode usage(std::string_view what) const;
    // Something worth knowing that is no data; not with --quiet.
    void note(std::string_view text) const;
    // Data that was printed must have arrived, or a script takes half for the whole.
    ExitCode finish(ExitCode code = ExitCode::kOk) const;
    // True: the user agrees, by --yes or by word.  Without a terminal nobody is asked, and the
    // answer is no.
    bool confirmed(std::string_view question) const;
};

// "250ms", "10s", "2m", "1h"; a bare number counts seconds.  kInvalidArgument names the text.
Result<std::uint32_t> parse_timeout_ms(std::string_view text);

// The first of a line that is overwritten, while something takes long; nothing when it is off.
class Progress {
public:
    Progress(bool on, std::string what) : on_(on), what_(std::move(what)) {}
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // At most a few times a second something is shown.
    void update(std::uint64_t records, std::uint64_t bytes);
    void clear();

private:
    const bool on_;
    const std::string what_;
    std::uint64_t begin_ns_ = 0;  // 0: not begun.
    std::uint64_t shown_ns_ = 0;
    bool visible_ = false;
};

// From now on SIGINT and SIGTERM are noted instead of ending the program at once; a second one
// ends it.
void catch_interrupts();
bool interrupted();

}  // namespace walrus::client
