#include "walrus/protocol/frame_decoder.h"

#include "walrus/protocol/big_endian.h"

namespace walrus::protocol {

void FrameDecoder::feed(Bytes bytes) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Bytes>> FrameDecoder::next() {
    const Bytes left = Bytes{buffer_}.subspan(begin_);
    constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);
    if (left.size() < kLengthBytes) return std::optional<Bytes>{};
    const std::size_t length = order_ == LengthOrder::kLittleEndian
                                   ? load_le<std::uint32_t>(left.data())
                                   : load_be<std::uint32_t>(left.data());
    if (length > max_frame_bytes_)
        return Error{Errc::kTooLarge, "frame: length " + std::to_string(length) +
                                          " exceeds the limit of " +
                                          std::to_string(max_frame_bytes_) + " bytes"};
    if (left.size() - kLengthBytes < length) return std::optional<Bytes>{};
    begin_ += kLengthBytes + length;
    return std::optional<Bytes>{left.subspan(kLengthBytes, length)};
}

}  // namespace walrus::protocol
