// Bytes written as hexadecimal digits, in golden tests.
#pragma once

#include <string>
#include <string_view>

namespace walrus::protocol {

// "0a ff" (spaces are ignored) to bytes; the digits are lower case and come in pairs.
inline std::string from_hex(std::string_view digits) {
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    int high = -1;
    for (const char c : digits) {
        if (c == ' ') continue;
        if (high >= 0) bytes += static_cast<char>(high << 4 | value(c));
        high = high < 0 ? value(c) : -1;
    }
    return bytes;
}

inline std::string to_hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string digits;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        digits += kDigits[byte >> 4];
        digits += kDigits[byte & 15];
    }
    return digits;
}

}  // namespace walrus::protocol
