#include "walrus/client/cli/line_source.h"

#include <errno.h>

#include <array>
#include <system_error>

#include "walrus/client/cli/context.h"

namespace walrus::client {

Result<LineSource> LineSource::open(const std::string& path) {
    if (path == "-") return LineSource(stdin, "standard input");
    LineSource source(std::fopen(path.c_str(), "rbe"), path);
    if (source.file_ == nullptr) return source.error(errno);
    return source;
}

Error LineSource::error(int code) const {
    return {code == ENOENT ? Errc::kNotFound : Errc::kIo,
            name_ + ": " + std::generic_category().message(code)};
}

Result<bool> LineSource::next(std::string_view& line) {
    char* text = buffer_.release();
    errno = 0;
    const ssize_t size = ::getline(&text, &capacity_, file_.get());
    const int code = errno;
    buffer_.reset(text);
    if (size < 0) {
        if (std::ferror(file_.get()) != 0 && !interrupted()) return error(code);
        return false;
    }
    line = std::string_view(text, static_cast<std::size_t>(size));
    if (line.ends_with('\n')) line.remove_suffix(1);
    return true;
}

Result<std::string> LineSource::rest() {
    std::string text;
    std::array<char, 64 << 10> piece;
    errno = 0;
    for (std::size_t got; (got = std::fread(piece.data(), 1, piece.size(), file_.get())) > 0;)
        text.append(piece.data(), got);
    if (std::ferror(file_.get()) != 0) return error(errno);
    return text;
}

}  // namespace walrus::client
