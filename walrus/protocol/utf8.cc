#include "walrus/protocol/utf8.h"

#include <cstddef>

namespace walrus::protocol {
namespace {

// Length of the sequence that `first` begins, 0 when none begins so.  `low` and `high` bound its
// second byte (RFC 3629 section 4): they exclude overlong forms, surrogates and what is too large.
std::size_t sequence(unsigned first, unsigned& low, unsigned& high) {
    low = 0x80;
    high = 0xBF;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) {
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
        return 3;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
        return 4;
    }
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        unsigned low = 0;
        unsigned high = 0;
        const std::size_t length = sequence(static_cast<unsigned char>(text[0]), low, high);
        if (length == 0 || length > text.size()) return false;
        for (std::size_t i = 1; i < length; ++i) {
            const unsigned byte = static_cast<unsigned char>(text[i]);
            if (byte < low || byte > high) return false;
            low = 0x80;
            high = 0xBF;
        }
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace walrus::protocol
