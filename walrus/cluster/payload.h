// Payload: immutable bytes, shared by messages in flight, disk writes and windows.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace walrus::cluster {

// Copies are cheap and may cross threads.
class Payload {
public:
    Payload() = default;
    explicit Payload(std::string bytes)
        : bytes_(bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(bytes))) {}

    std::string_view text() const {
        return bytes_ ? std::string_view(*bytes_) : std::string_view();
    }
    std::size_t size() const { return bytes_ ? bytes_->size() : 0; }
    bool operator==(const Payload& other) const { return text() == other.text(); }

private:
    std::shared_ptr<const std::string> bytes_;  // Null when empty.
};

}  // namespace walrus::cluster
