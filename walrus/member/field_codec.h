// Fields of this room's own messages and files: little-endian integers, strings behind a u32.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "walrus/base/bytes.h"

namespace walrus::member {

template <class T>
void put(std::string& out, T value) {
    std::byte raw[sizeof(T)];
    store_le(raw, value);
    out.append(reinterpret_cast<const char*>(raw), sizeof raw);
}

inline void put(std::string& out, const std::string& text) {
    put(out, static_cast<std::uint32_t>(text.size()));
    out.append(text);
}

// After the first field that is not there, everything is zero or empty and ok() is false.
class Fields {
public:
    explicit Fields(std::string_view bytes) : left_(bytes) {}

    template <class T>
    T take() {
        const std::string_view raw = take_bytes(sizeof(T));
        return ok_ ? load_le<T>(as_bytes(raw).data()) : T{};
    }
    std::string take_string() { return std::string(take_bytes(take<std::uint32_t>())); }
    std::string_view take_bytes(std::size_t size) {
        ok_ = ok_ && size <= left_.size();
        if (!ok_) return {};
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }
    std::string_view rest() { return take_bytes(left_.size()); }
    bool ok() const { return ok_; }
    // Everything was there and nothing is left.
    bool done() const { return ok_ && left_.empty(); }

private:
    std::string_view left_;
    bool ok_ = true;
};

}  // namespace walrus::member
