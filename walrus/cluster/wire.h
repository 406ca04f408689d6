// How values of this room become bytes: one list of fields per type serves both directions.
//
//   template <class Io>
//   void fields(Io& io, Like<Io, Point>& p) { io(p.x, p.y); }
//
// Little-endian integers, u32 counts, ascending maps, one byte for flags and enumerators: a value
// has exactly one encoding, and whatever decodes encodes back to the same bytes.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "walrus/base/assert.h"
#include "walrus/base/bytes.h"
#include "walrus/base/result.h"
#include "walrus/base/strong.h"
#include "walrus/cluster/payload.h"

namespace walrus::cluster::wire {

// T as `Io` sees it: const while writing.
template <class Io, class T>
using Like = std::conditional_t<Io::kReading, T, const T>;

class Writer {
public:
    static constexpr bool kReading = false;

    explicit Writer(std::string& out) : out_(out) {}

    template <class... T>
    void operator()(const T&... values) {
        (one(values), ...);
    }

private:
    template <class T>
    requires std::is_unsigned_v<T>
    void one(T value) {
        if constexpr (std::is_same_v<T, bool>) {
            return one(static_cast<std::uint8_t>(value));
        } else {
            std::byte raw[sizeof(T)];
            store_le(raw, value);
            out_.append(reinterpret_cast<const char*>(raw), sizeof raw);
        }
    }
    template <class T>
    requires std::is_enum_v<T>
    void one(T value) { one(static_cast<std::uint8_t>(value)); }
    template <class T>
    requires std::is_class_v<T>
    void one(const T& value) { fields(*this, value); }
    template <class Tag>
    void one(Strong<Tag> value) {
        one(value.value);
    }
    void count(std::size_t size) {
        WALRUS_ASSERT(size <= std::numeric_limits<std::uint32_t>::max());
        one(static_cast<std::uint32_t>(size));
    }
    void one(const std::string& text) {
        count(text.size());
        out_.append(text);
    }
    void one(const Payload& payload) {
        count(payload.size());
        out_.append(payload.text());
    }
    template <class T>
    void one(const std::vector<T>& values) {
        count(values.size());
        for (const T& value : values) one(value);
    }
    template <class T>
    void one(const std::optional<T>& value) {
        one(value.has_value());
        if (value) one(*value);
    }
    template <class K, class V>
    void one(const std::map<K, V>& values) {
        count(values.size());
        for (const auto& [key, value] : values) {
            one(key);
            one(value);
        }
    }
    template <class... T>
    void one(const std::variant<T...>& value) {
        one(static_cast<std::uint8_t>(value.index()));
        std::visit([&](const auto& body) { one(body); }, value);
    }

    std::string& out_;
};

// After the first fault every read yields the type's default and ok() stays false.
class Reader {
public:
    static constexpr bool kReading = true;

    explicit Reader(Bytes bytes) : left_(bytes) {}

    bool done() const { return ok_ && left_.empty(); }
    bool ok() const { return ok_; }
    void fail() { ok_ = false; }

    template <class... T>
    void operator()(T&... values) {
        (one(values), ...);
    }

private:
    template <class T>
    requires std::is_unsigned_v<T>
    void one(T& value) {
        if constexpr (std::is_same_v<T, bool>) {
            std::uint8_t byte = 0;
            one(byte);
            if (byte > 1) fail();
            value = ok_ && byte == 1;
        } else {
            if (left_.size() < sizeof(T)) fail();
            if (!ok_) return;
            value = load_le<T>(left_.data());
            left_ = left_.subspan(sizeof(T));
        }
    }
    template <class T>
    requires std::is_enum_v<T>
    void one(T& value) {
        std::uint8_t byte = 0;
        one(byte);
        if (byte > static_cast<std::uint8_t>(last_of(T{}))) fail();
        if (ok_) value = static_cast<T>(byte);
    }
    template <class T>
    requires std::is_class_v<T>
    void one(T& value) { fields(*this, value); }
    template <class Tag>
    void one(Strong<Tag>& value) {
        one(value.value);
    }
    // Every element takes at least a byte, so a lying count cannot ask for much memory.
    std::uint32_t count() {
        std::uint32_t size = 0;
        one(size);
        if (size > left_.size()) fail();
        return ok_ ? size : 0;
    }
    void one(std::string& text) {
        const std::uint32_t size = count();
        if (!ok_) return;
        text = as_text(left_.first(size));
        left_ = left_.subspan(size);
    }
    void one(Payload& payload) {
        std::string text;
        one(text);
        payload = Payload(std::move(text));
    }
    template <class T>
    void one(std::vector<T>& values) {
        const std::uint32_t size = count();
        for (std::uint32_t i = 0; i < size && ok_; ++i) one(values.emplace_back());
    }
    template <class T>
    void one(std::optional<T>& value) {
        bool present = false;
        one(present);
        if (present) one(value.emplace());
    }
    template <class K, class V>
    void one(std::map<K, V>& values) {
        const std::uint32_t size = count();
        for (std::uint32_t i = 0; i < size && ok_; ++i) {
            K key{};
            V value{};
            one(key);
            one(value);
            if (!values.empty() && !(values.rbegin()->first < key)) fail();
            values.emplace_hint(values.end(), std::move(key), std::move(value));
        }
    }
    template <class... T>
    void one(std::variant<T...>& value) {
        std::uint8_t index = 0;
        one(index);
        alternative<0>(value, index);
    }
    template <std::size_t kPosition, class... T>
    void alternative(std::variant<T...>& value, std::uint8_t index) {
        if constexpr (kPosition == sizeof...(T)) {
            fail();
        } else if (index == kPosition) {
            one(value.template emplace<kPosition>());
        } else {
            alternative<kPosition + 1>(value, index);
        }
    }

    Bytes left_;
    bool ok_ = true;
};

// `version` first, then the value.
template <class T>
std::string encode(std::uint8_t version, const T& value) {
    std::string out;
    Writer writer(out);
    writer(version, value);
    return out;
}

// kCorruption: another version, or not exactly one value.
template <class T>
Result<T> decode(std::uint8_t version, Bytes bytes, const char* what) {
    Reader reader(bytes);
    std::uint8_t found = 0;
    T value{};
    reader(found);
    if (found == version) reader(value);
    if (found != version || !reader.done()) {
        return Error{Errc::kCorruption, std::string("cluster codec: malformed ") + what};
    }
    return value;
}

}  // namespace walrus::cluster::wire
