// ReplSession: what a REPL does with each line, whoever reads the lines.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/client/text_client.h"

namespace walrus::client {

// One thread at a time.
class ReplSession {
public:
    using Connect = std::function<Result<TextClient>()>;
    enum class Next { kGoOn, kQuit };

    explicit ReplSession(Connect connect) : connect_(std::move(connect)) {}

    // Connects now, so that a wrong address is told before the first line.
    Status open();

    // What is to be printed: replies as they came, errors with "error: " before them.
    struct Answer {
        Next next = Next::kGoOn;
        std::string reply = {};  // "": none (an empty line).
        Status status = {};      // The connection; it is made anew for the next line.
        bool refused = false;    // The reply is an ERR.
    };
    // "exit", "quit" and "q" end the session; everything else is sent as it is, without white space
    // around it except behind a PUT's payload.
    Answer line(std::string_view text);

    // What the word under the cursor may become, `before` being the line up to the cursor: the
    // commands, then topics that were named in this session.
    std::vector<std::string> completions(std::string_view before) const;

private:
    void remember_topic(std::string_view line);

    Connect connect_;
    std::optional<TextClient> client_;
    std::set<std::string, std::less<>> topics_;
};

}  // namespace walrus::client
