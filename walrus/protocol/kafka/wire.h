// How values lie on the wire: kafka.apache.org/protocol, section "Protocol Primitive Types".
//
// A message is a struct that names its fields once, for both directions:
//
//   static void fields(auto& io, auto& m) {
//       if (io.version() >= 3) io(m.transactional_id);
//       io(m.acks, m.timeout_ms, m.topics);
//   }
//
// `io` is a Reader or a Writer; the order of the calls is the order on the wire.  In a flexible
// version strings, bytes and arrays are compact and every struct ends with tagged fields, of which
// we write none and skip all.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "walrus/base/bytes.h"
#include "walrus/base/result.h"

namespace walrus::protocol::kafka {

using Uuid = std::array<std::byte, 16>;

// Nobody asked for the operations that a client may do, or they are not known.
inline constexpr std::int32_t kNoAuthorizedOperations = INT32_MIN;

enum class WireFault { kNone, kTruncated, kNull, kLength, kNumber, kTrailing };

// Takes fields from bytes.  After the first fault every field is zero or empty and fault() stays;
// nothing is allocated that the bytes at hand do not justify.  Strings are copied; a Bytes is a
// view into the input.  A message may be read into again, in the same version: what it had is
// replaced, and its memory is used again.
class Reader {
public:
    Reader(Bytes bytes, std::int16_t version, bool is_flexible)
        : left_(bytes), version_(version), is_flexible_(is_flexible) {}

    // More elements than that, of all arrays together, are a fault: kLength.
    void limit_elements(std::size_t limit) { elements_left_ = limit; }

    std::int16_t version() const { return version_; }
    bool ok() const { return fault_ == WireFault::kNone; }
    Bytes rest() const { return left_; }

    // What is wrong, kInvalidArgument; also when bytes are left over.  `what` was being read.
    Status finish(std::string_view what);

    template <class... Fields>
    void operator()(Fields&... fields) {
        (field(fields), ...);
    }

    std::uint32_t uvarint();
    // Skips the tagged fields at the end of a struct.
    void tags();

private:
    template <class T>
    void field(T& value) {
        if constexpr (std::is_enum_v<T>) {
            std::underlying_type_t<T> number{};
            integer(number);
            value = static_cast<T>(number);
        } else if constexpr (std::is_same_v<T, bool>) {
            std::int8_t number = 0;
            integer(number);
            value = number != 0;
        } else if constexpr (std::is_integral_v<T>) {
            integer(value);
        } else {
            T::fields(*this, value);
            if (is_flexible_) tags();
        }
    }
    void field(Uuid& value);
    void field(std::string& value);
    void field(Bytes& value);
    void field(std::optional<std::string>& value);
    void field(std::optional<Bytes>& value);

    template <class T>
    void field(std::vector<T>& value) {
        if (!elements(value)) fail(WireFault::kNull);
    }
    // Not inlined: GCC 12 would then warn that the vector of an empty optional is not initialised.
    template <class T>
    [[gnu::noinline]] void field(std::optional<std::vector<T>>& value) {
        std::vector<T> read;
        value.reset();
        if (elements(read)) value = std::move(read);
    }
    // Reads an array; false when it is null or at a fault of its count.
    template <class T>
    bool elements(std::vector<T>& value) {
        const std::optional<std::size_t> count = length(4);
        if (count.value_or(0) > elements_left_) fail(WireFault::kLength);
        std::size_t read = 0;
        // No element is smaller than a byte, so this ends with the bytes, whatever the count.
        for (; read < count.value_or(0) && ok(); ++read) {
            if (read == value.size()) value.emplace_back();
            field(value[read]);
        }
        elements_left_ -= std::min(read, elements_left_);
        value.resize(read);
        return count.has_value();
    }

    template <class T>
    void integer(T& value);

    // A length of `width` bytes, or a compact one; nothing stands for null or a fault.  It is at
    // most the number of bytes left.
    std::optional<std::size_t> length(int width);
    std::optional<Bytes> sized(int width);
    Bytes take(std::size_t count);
    void fail(WireFault fault);

    Bytes left_;
    const std::int16_t version_;
    const bool is_flexible_;
    std::size_t elements_left_ = SIZE_MAX;
    WireFault fault_ = WireFault::kNone;  // Invariant: left_ is empty when it is set.
};

// Appends fields to a string.
class Writer {
public:
    Writer(std::string& out, std::int16_t version, bool is_flexible)
        : out_(out), version_(version), is_flexible_(is_flexible) {}

    std::int16_t version() const { return version_; }

    template <class... Fields>
    void operator()(const Fields&... fields) {
        (field(fields), ...);
    }

    void uvarint(std::uint32_t value);
    void tags() { uvarint(0); }

private:
    template <class T>
    void field(const T& value) {
        if constexpr (std::is_enum_v<T>) {
            integer(static_cast<std::underlying_type_t<T>>(value));
        } else if constexpr (std::is_same_v<T, bool>) {
            integer(static_cast<std::int8_t>(value));
        } else if constexpr (std::is_integral_v<T>) {
            integer(value);
        } else {
            T::fields(*this, value);
            if (is_flexible_) tags();
        }
    }
    void field(const Uuid& value);
    void field(const std::string& value) { sized(2, as_bytes(value)); }
    void field(const Bytes& value) { sized(4, value); }
    void field(const std::optional<std::string>& value);
    void field(const std::optional<Bytes>& value);

    template <class T>
    void field(const std::vector<T>& value) {
        length(4, value.size());
        for (const T& element : value) field(element);
    }
    template <class T>
    void field(const std::optional<std::vector<T>>& value) {
        if (value) return field(*value);
        null(4);
    }

    template <class T>
    void integer(T value);

    void length(int width, std::size_t size);
    void null(int width);
    void sized(int width, Bytes bytes);

    std::string& out_;
    const std::int16_t version_;
    const bool is_flexible_;
};

}  // namespace walrus::protocol::kafka
