#include "walrus/protocol/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "walrus/protocol/big_endian.h"

namespace walrus::protocol {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
using Piece = std::array<char, kPiece>;

Error corrupt(const char* codec) {
    return {Errc::kCorruption,
            std::string("decompress: ") + codec + ": damaged or incomplete data"};
}

Error out_of_memory(const char* codec) {
    return {Errc::kResourceExhausted, std::string("decompress: ") + codec + ": no memory"};
}

Error too_large(std::size_t max_bytes) {
    return {Errc::kTooLarge,
            "decompress: more than the limit of " + std::to_string(max_bytes) + " bytes"};
}

// Appends to `out` unless that exceeds the limit.
Status append(std::string& out, std::string_view bytes, std::size_t max_bytes) {
    if (bytes.size() > max_bytes - out.size()) return too_large(max_bytes);
    out.append(bytes);
    return {};
}

Result<std::string> gunzip(Bytes input, std::size_t max_bytes) {
    if (input.size() > std::numeric_limits<uInt>::max()) return corrupt("gzip");
    z_stream stream{};
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) return out_of_memory("gzip");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    stream.avail_in = static_cast<uInt>(input.size());

    auto piece = std::make_unique<Piece>();
    std::string out;
    int step = Z_OK;
    while (step != Z_STREAM_END) {
        stream.next_out = reinterpret_cast<Bytef*>(piece->data());
        stream.avail_out = static_cast<uInt>(piece->size());
        step = inflate(&stream, Z_NO_FLUSH);
        if (step != Z_OK && step != Z_STREAM_END) return corrupt("gzip");
        const std::size_t made = piece->size() - stream.avail_out;
        WALRUS_RETURN_IF_ERROR(append(out, {piece->data(), made}, max_bytes));
    }
    if (stream.avail_in != 0) return corrupt("gzip");
    return out;
}

Status unsnap_block(Bytes block, std::size_t max_bytes, std::string& out) {
    const std::string_view text = as_text(block);
    std::size_t length = 0;
    if (!snappy::GetUncompressedLength(text.data(), text.size(), &length)) return corrupt("snappy");
    // An element of two bytes yields at most 64, so a longer claim is false.
    if (length > 32 * text.size()) return corrupt("snappy");
    if (length > max_bytes - out.size()) return too_large(max_bytes);
    const std::size_t before = out.size();
    out.resize(before + length);
    if (!snappy::RawUncompress(text.data(), text.size(), out.data() + before))
        return corrupt("snappy");
    return {};
}

// snappy-java: magic, two version numbers, then blocks, each behind its length.
Result<std::string> unsnap(Bytes input, std::size_t max_bytes) {
    constexpr std::string_view kJavaMagic("\x82SNAPPY\0", 8);
    constexpr std::size_t kJavaHeader = 8 + 4 + 4;
    std::string out;
    if (!as_text(input).starts_with(kJavaMagic)) {
        WALRUS_RETURN_IF_ERROR(unsnap_block(input, max_bytes, out));
        return out;
    }
    if (input.size() < kJavaHeader) return corrupt("snappy");
    Bytes left = input.subspan(kJavaHeader);
    while (!left.empty()) {
        if (left.size() < sizeof(std::uint32_t)) return corrupt("snappy");
        const auto length = load_be<std::uint32_t>(left.data());
        left = left.subspan(sizeof(std::uint32_t));
        if (length > left.size()) return corrupt("snappy");
        WALRUS_RETURN_IF_ERROR(unsnap_block(left.first(length), max_bytes, out));
        left = left.subspan(length);
    }
    return out;
}

Result<std::string> unlz4(Bytes input, std::size_t max_bytes) {
    LZ4F_dctx* raw = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)))
        return out_of_memory("lz4");
    const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(
        raw, LZ4F_freeDecompressionContext);

    auto piece = std::make_unique<Piece>();
    std::string out;
    for (std::size_t hint = 1; hint != 0;) {
        std::size_t made = piece->size();
        std::size_t used = input.size();
        hint = LZ4F_decompress(context.get(), piece->data(), &made, input.data(), &used, nullptr);
        if (LZ4F_isError(hint)) return corrupt("lz4");
        if (hint != 0 && made == 0 && used == 0) return corrupt("lz4");  // It wants more.
        WALRUS_RETURN_IF_ERROR(append(out, {piece->data(), made}, max_bytes));
        input = input.subspan(used);
    }
    if (!input.empty()) return corrupt("lz4");
    return out;
}

Result<std::string> unzstd(Bytes input, std::size_t max_bytes) {
    const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                          ZSTD_freeDCtx);
    if (context == nullptr) return out_of_memory("zstd");
    auto piece = std::make_unique<Piece>();
    std::string out;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    for (std::size_t hint = 1; hint != 0;) {
        ZSTD_outBuffer made{piece->data(), piece->size(), 0};
        const std::size_t before = in.pos;
        hint = ZSTD_decompressStream(context.get(), &made, &in);
        if (ZSTD_isError(hint)) return corrupt("zstd");
        if (hint != 0 && made.pos == 0 && in.pos == before) return corrupt("zstd");
        WALRUS_RETURN_IF_ERROR(append(out, {piece->data(), made.pos}, max_bytes));
    }
    if (in.pos != in.size) return corrupt("zstd");
    return out;
}

}  // namespace

Result<std::string> decompress(Compression codec, Bytes input, std::size_t max_bytes) {
    switch (codec) {
        case Compression::kNone: {
            std::string out;
            WALRUS_RETURN_IF_ERROR(append(out, as_text(input), max_bytes));
            return out;
        }
        case Compression::kGzip: return gunzip(input, max_bytes);
        case Compression::kSnappy: return unsnap(input, max_bytes);
        case Compression::kLz4: return unlz4(input, max_bytes);
        case Compression::kZstd: return unzstd(input, max_bytes);
    }
    return Error{Errc::kUnsupported, "decompress: unknown codec"};
}

}  // namespace walrus::protocol
