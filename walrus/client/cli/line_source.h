// Lines of a file or of standard input, which an interrupt can end.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "walrus/base/result.h"

namespace walrus::client {

class LineSource {
public:
    // "-" is standard input.  kNotFound, kIo name the file.
    static Result<LineSource> open(const std::string& path);

    // The next line without its end, valid until the next call; `line` tells whether there was one.
    // The last line needs no end.  An interrupt looks like the end.
    Result<bool> next(std::string_view& line);
    // All that is left.
    Result<std::string> rest();

private:
    struct Close {
        void operator()(FILE* file) const {
            if (file != stdin) std::fclose(file);
        }
    };

    LineSource(FILE* file, std::string name) : file_(file), name_(std::move(name)) {}
    Error error(int code) const;

    std::unique_ptr<FILE, Close> file_;
    std::string name_;
    struct Free {
        void operator()(char* text) const { std::free(text); }
    };
    std::unique_ptr<char, Free> buffer_;
    std::size_t capacity_ = 0;
};

}  // namespace walrus::client
