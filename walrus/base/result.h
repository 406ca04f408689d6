// Result<T> and Status: how an operating error is returned.
//
// The names are those of std::expected, so that a later switch is one `using`; GCC 12 offers
// std::expected only in C++23 mode, which our tools do not parse (spec/decisions.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "walrus/base/assert.h"

namespace walrus {

// What the caller can do about an error.  The message says what happened and where.
enum class Errc {
    kInvalidArgument,    // The request is wrong; sending it again cannot help.
    kNotFound,           // The named thing does not exist.
    kAlreadyExists,      // The named thing exists.
    kOutOfRange,         // Before the start or past the end; nothing was read.
    kTooLarge,           // A record, batch or request exceeds a configured limit.
    kNoSpace,            // The disk (or the quota) is full; retry when space has returned.
    kResourceExhausted,  // A configured bound (bytes in flight, topics) is reached; retry later.
    kBusy,               // Locked or in use by somebody else.
    kIo,                 // The operating system reported a failure.
    kCorruption,         // Stored bytes are not what was written.
    kUnsupported,        // This build, format version or file system cannot do it.
    kPoisoned,           // An earlier write or sync failed; reopen to continue.
    kClosed,             // The object was closed or is shutting down.
    kTimeout,            // The deadline passed; the outcome may be unknown.
    kFenced,             // A newer epoch exists; the caller is no longer the leader.
    kNotLeader,          // Ask another node.
};

// Stable lower-case name, e.g. "corruption"; used in messages and JSON.
std::string_view errc_name(Errc code);

struct Error {
    Errc code;
    std::string message;  // "what: path or offset: cause"

    // "corruption: segment 3 at lsn 4096: body checksum differs"
    std::string to_string() const;
};

template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & { return checked(); }
    const T& value() const& { return const_cast<Result*>(this)->checked(); }
    T&& value() && { return std::move(checked()); }
    T& operator*() & { return checked(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(checked()); }
    T* operator->() { return &checked(); }
    const T* operator->() const { return &value(); }

    const Error& error() const& {
        WALRUS_ASSERT(!has_value());
        return std::get<1>(state_);
    }
    Error&& error() && {
        WALRUS_ASSERT(!has_value());
        return std::get<1>(std::move(state_));
    }

    template <class U>
    T value_or(U&& fallback) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
    }

private:
    T& checked() {
        WALRUS_ASSERT(has_value());
        return std::get<0>(state_);
    }

    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT

    bool has_value() const { return !error_.has_value(); }
    explicit operator bool() const { return has_value(); }
    void value() const { WALRUS_ASSERT(has_value()); }
    const Error& error() const& {
        WALRUS_ASSERT(!has_value());
        return *error_;
    }
    Error&& error() && {
        WALRUS_ASSERT(!has_value());
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace walrus

// Returns the error of `expression` (a Status or Result) from the enclosing function.
#define WALRUS_RETURN_IF_ERROR(expression)                                   \
    do {                                                                     \
        if (auto walrus_status_ = (expression); !walrus_status_.has_value()) \
            return std::move(walrus_status_).error();                        \
    } while (false)
