// LineEditor: lines from a terminal, with history and completion (libedit).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace walrus::client {

// One at a time, on the terminal of standard input and output; one thread.
class LineEditor {
public:
    // What the word under the cursor may become, given the line up to the cursor.
    using Complete = std::function<std::vector<std::string>(std::string_view before)>;

    // `history_file`: read now, written by the destructor; "": the history is forgotten.
    LineEditor(std::string prompt, std::string history_file, Complete complete);
    ~LineEditor();
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    // A line without its end, or nothing: Ctrl-D, Ctrl-C (see interrupted()), or no terminal more.
    std::optional<std::string> read();

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace walrus::client
