#include "walrus/protocol/kafka/wire.h"

#include <limits>

#include "walrus/base/assert.h"
#include "walrus/protocol/big_endian.h"
#include "walrus/protocol/varint.h"

namespace walrus::protocol::kafka {
namespace {

std::string_view fault_name(WireFault fault) {
    switch (fault) {
        case WireFault::kNone: return "no fault";
        case WireFault::kTruncated: return "it ends within a field";
        case WireFault::kNull: return "null where a value must be";
        case WireFault::kLength: return "a length or count that cannot be";
        case WireFault::kNumber: return "a malformed variable-length number";
        case WireFault::kTrailing: return "bytes behind its end";
    }
    return "unknown fault";
}

}  // namespace

Status Reader::finish(std::string_view what) {
    if (ok() && !left_.empty()) fail(WireFault::kTrailing);
    if (ok()) return {};
    return Error{Errc::kInvalidArgument, std::string("kafka: ")
                                             .append(what)
                                             .append(" v")
                                             .append(std::to_string(version_))
                                             .append(": ")
                                             .append(fault_name(fault_))};
}

void Reader::fail(WireFault fault) {
    if (ok()) fault_ = fault;
    left_ = {};
}

Bytes Reader::take(std::size_t count) {
    if (left_.size() < count) {
        fail(WireFault::kTruncated);
        return {};
    }
    const Bytes taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
}

template <class T>
void Reader::integer(T& value) {
    const Bytes bytes = take(sizeof(T));
    value = bytes.empty() ? T{} : load_be<T>(bytes.data());
}

template void Reader::integer(std::int8_t&);
template void Reader::integer(std::int16_t&);
template void Reader::integer(std::int32_t&);
template void Reader::integer(std::int64_t&);
template void Reader::integer(std::uint16_t&);
template void Reader::integer(std::uint32_t&);

std::uint32_t Reader::uvarint() {
    if (left_.empty()) {
        fail(WireFault::kTruncated);
        return 0;
    }
    const std::optional<std::uint32_t> value = take_uvarint<std::uint32_t>(left_);
    if (!value) fail(WireFault::kNumber);
    return value.value_or(0);
}

void Reader::tags() {
    const std::uint32_t count = uvarint();
    for (std::uint32_t i = 0; i < count && ok(); ++i) {
        static_cast<void>(uvarint());  // Its number.
        take(uvarint());
    }
}

std::optional<std::size_t> Reader::length(int width) {
    std::int64_t size = 0;
    if (is_flexible_) {
        size = std::int64_t{uvarint()} - 1;
    } else if (width == 2) {
        std::int16_t short_size = 0;
        integer(short_size);
        size = short_size;
    } else {
        std::int32_t long_size = 0;
        integer(long_size);
        size = long_size;
    }
    if (!ok() || size == -1) return std::nullopt;
    if (size < 0 || static_cast<std::uint64_t>(size) > left_.size()) {
        fail(WireFault::kLength);
        return std::nullopt;
    }
    return static_cast<std::size_t>(size);
}

std::optional<Bytes> Reader::sized(int width) {
    const std::optional<std::size_t> size = length(width);
    if (!size) return std::nullopt;
    return take(*size);
}

void Reader::field(Uuid& value) {
    const Bytes bytes = take(value.size());
    value = {};
    if (!bytes.empty()) std::memcpy(value.data(), bytes.data(), value.size());
}

void Reader::field(std::string& value) {
    const std::optional<Bytes> bytes = sized(2);
    if (!bytes) return fail(WireFault::kNull);
    value = as_text(*bytes);
}

void Reader::field(Bytes& value) {
    const std::optional<Bytes> bytes = sized(4);
    if (!bytes) return fail(WireFault::kNull);
    value = *bytes;
}

void Reader::field(std::optional<std::string>& value) {
    const std::optional<Bytes> bytes = sized(2);
    value.reset();
    if (bytes) value = std::string(as_text(*bytes));
}

void Reader::field(std::optional<Bytes>& value) {
    value = sized(4);
}

template <class T>
void Writer::integer(T value) {
    std::byte raw[sizeof(T)];
    store_be(raw, value);
    out_.append(as_text(raw));
}

template void Writer::integer(std::int8_t);
template void Writer::integer(std::int16_t);
template void Writer::integer(std::int32_t);
template void Writer::integer(std::int64_t);
template void Writer::integer(std::uint16_t);
template void Writer::integer(std::uint32_t);

void Writer::uvarint(std::uint32_t value) {
    put_uvarint(out_, value);
}

void Writer::length(int width, std::size_t size) {
    const std::int64_t limit = width == 2 ? std::numeric_limits<std::int16_t>::max()
                                          : std::numeric_limits<std::int32_t>::max();
    WALRUS_ASSERT(size <= static_cast<std::size_t>(limit));
    if (is_flexible_) return uvarint(static_cast<std::uint32_t>(size) + 1);
    if (width == 2) return integer(static_cast<std::int16_t>(size));
    integer(static_cast<std::int32_t>(size));
}

void Writer::null(int width) {
    if (is_flexible_) return uvarint(0);
    if (width == 2) return integer(std::int16_t{-1});
    integer(std::int32_t{-1});
}

void Writer::sized(int width, Bytes bytes) {
    length(width, bytes.size());
    out_.append(as_text(bytes));
}

void Writer::field(const Uuid& value) {
    out_.append(as_text(value));
}

void Writer::field(const std::optional<std::string>& value) {
    if (value) return field(*value);
    null(2);
}

void Writer::field(const std::optional<Bytes>& value) {
    if (value) return field(*value);
    null(4);
}

}  // namespace walrus::protocol::kafka
