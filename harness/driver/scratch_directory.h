// ScratchDirectory: a directory of its own for one test, removed at the end.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "walrus/base/assert.h"

namespace walrus::harness {

class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string path = std::filesystem::temp_directory_path() / "walrus-harness-XXXXXX";
        WALRUS_ASSERT(::mkdtemp(path.data()) != nullptr);
        path_ = path;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace walrus::harness
