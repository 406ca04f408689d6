#include "walrus/net/peer_frame.h"

#include <array>
#include <type_traits>

#include "walrus/base/crc32c.h"

namespace walrus::net {
namespace {

constexpr std::size_t kCrcBytes = 4;

template <class T>
void put(std::string& out, T value) {
    std::array<std::byte, sizeof value> bytes{};
    store_le(bytes.data(), value);
    out.append(as_text(bytes));
}

// Takes numbers from the front; what is short makes it fail for good.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    template <class T>
    T take() {
        if (rest_.size() < sizeof(T)) {
            failed_ = true;
            rest_ = {};
            return {};
        }
        const T value = load_le<T>(as_bytes(rest_).data());
        rest_.remove_prefix(sizeof(T));
        return value;
    }
    std::string_view take_text(std::size_t bytes) {
        if (rest_.size() < bytes) failed_ = true;
        const std::string_view text = rest_.substr(0, bytes);
        rest_.remove_prefix(text.size());
        return text;
    }
    std::string_view rest() const { return rest_; }
    bool failed() const { return failed_; }
    bool is_whole() const { return !failed_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

Error malformed(std::string_view what) {
    return {Errc::kCorruption, "peer: malformed " + std::string(what)};
}

void put_preamble(std::string& out) {
    put(out, kPeerMagic);
    put(out, kPeerVersion);
}

Status take_preamble(Reader& reader) {
    const auto magic = reader.take<std::uint64_t>();
    const auto version = reader.take<std::uint32_t>();
    if (reader.failed() || magic != kPeerMagic) return malformed("preamble");
    if (version != kPeerVersion)
        return Error{Errc::kUnsupported, "peer: protocol version " + std::to_string(version) +
                                             ", this one speaks " + std::to_string(kPeerVersion)};
    return {};
}

}  // namespace

// --- frames ---

void append_peer_header(std::string& out, const PeerFrame& frame) {
    const std::array<std::byte, 2> head = {static_cast<std::byte>(frame.kind),
                                           static_cast<std::byte>(frame.channel)};
    put(out, static_cast<std::uint32_t>(kCrcBytes + head.size() + frame.payload.size()));
    put(out, crc32c(as_bytes(frame.payload), crc32c(head)));
    out.append(as_text(head));
}

std::optional<PeerFrame> decode_peer_frame(Bytes frame) {
    constexpr std::size_t kHead = kPeerHeaderBytes - kPeerLengthBytes;
    if (frame.size() < kHead) return std::nullopt;
    if (load_le<std::uint32_t>(frame.data()) != crc32c(frame.subspan(kCrcBytes)))
        return std::nullopt;
    const auto kind = static_cast<PeerFrameKind>(frame[kCrcBytes]);
    if (kind < PeerFrameKind::kHello || kind > PeerFrameKind::kAnswer) return std::nullopt;
    return PeerFrame{.kind = kind,
                     .channel = static_cast<std::uint8_t>(frame[kCrcBytes + 1]),
                     .payload = as_text(frame.subspan(kHead))};
}

// --- payloads ---

std::string encode_hello(const PeerHello& hello) {
    std::string out;
    put_preamble(out);
    put(out, hello.cluster);
    put(out, hello.from);
    put(out, hello.incarnation);
    put(out, hello.to);
    put(out, static_cast<std::uint16_t>(hello.address.size()));
    return out + hello.address;
}

Result<PeerHello> decode_hello(std::string_view payload) {
    Reader reader(payload);
    WALRUS_RETURN_IF_ERROR(take_preamble(reader));
    PeerHello hello;
    hello.cluster = reader.take<std::uint64_t>();
    hello.from = reader.take<std::uint64_t>();
    hello.incarnation = reader.take<std::uint64_t>();
    hello.to = reader.take<std::uint64_t>();
    hello.address = reader.take_text(reader.take<std::uint16_t>());
    if (!reader.is_whole() || hello.from == 0 || hello.address.size() > kMaxPeerAddressBytes)
        return malformed("hello");
    return hello;
}

std::string encode_question(std::string_view question) {
    std::string out;
    put_preamble(out);
    return out.append(question);
}

Result<std::string> decode_question(std::string_view payload) {
    Reader reader(payload);
    WALRUS_RETURN_IF_ERROR(take_preamble(reader));
    return std::string(reader.rest());
}

std::string encode_refusal(const PeerRefusal& refusal) {
    std::string out;
    put(out, static_cast<std::uint8_t>(refusal.reason));
    put(out, refusal.version);
    put(out, refusal.cluster);
    put(out, refusal.node);
    return out;
}

// What a later version puts behind these fields is left alone.
Result<PeerRefusal> decode_refusal(std::string_view payload) {
    Reader reader(payload);
    PeerRefusal refusal;
    refusal.reason = static_cast<PeerRefusalReason>(reader.take<std::uint8_t>());
    refusal.version = reader.take<std::uint32_t>();
    refusal.cluster = reader.take<std::uint64_t>();
    refusal.node = reader.take<std::uint64_t>();
    if (reader.failed()) return malformed("refusal");
    return refusal;
}

// --- words ---

std::string_view refusal_name(PeerRefusalReason reason) {
    switch (reason) {
        case PeerRefusalReason::kOtherVersion: return "it speaks another version";
        case PeerRefusalReason::kOtherCluster: return "it belongs to another cluster";
        case PeerRefusalReason::kOtherNode: return "it looks for another node";
        case PeerRefusalReason::kDuplicateNode: return "another living process has its node id";
        case PeerRefusalReason::kRemoved: return "it was removed from the cluster";
        case PeerRefusalReason::kNotReady: return "this node does not belong to a cluster yet";
        case PeerRefusalReason::kTooManyPeers: return "there are too many peers";
        case PeerRefusalReason::kNoSuchQuestion: return "nobody answers questions here";
    }
    return "unknown reason";
}

std::string explain_refusal(const PeerRefusal& refusal, PeerId self, PeerId peer,
                            const std::string& address) {
    const std::string who =
        peer == 0 ? "node at " + address : "node " + std::to_string(peer) + " at " + address;
    const std::string me = "node " + std::to_string(self);
    switch (refusal.reason) {
        case PeerRefusalReason::kOtherVersion:
            return who + " speaks version " + std::to_string(refusal.version) +
                   " of the protocol between nodes, this one " + std::to_string(kPeerVersion) +
                   ": run builds of walrusd that speak the same on all nodes";
        case PeerRefusalReason::kOtherCluster:
            return who +
                   " belongs to another cluster: correct the address, or start this node "
                   "with an empty data_dir to join that cluster";
        case PeerRefusalReason::kOtherNode:
            return who + " is node " + std::to_string(refusal.node) +
                   ": the address has another owner now; start the node that is looked for, it "
                   "tells its new address by itself";
        case PeerRefusalReason::kDuplicateNode:
            return who + " knows another living process that is " + me +
                   ": stop one of the two; a copied data_dir must not be started, join with a "
                   "new node_id instead";
        case PeerRefusalReason::kRemoved:
            return who + " says that " + me +
                   " was removed from the cluster: join again with a new node_id and an empty "
                   "data_dir";
        case PeerRefusalReason::kNotReady: return who + " does not belong to a cluster yet";
        case PeerRefusalReason::kTooManyPeers: return who + " has too many peers";
        case PeerRefusalReason::kNoSuchQuestion: return who + " does not answer questions";
    }
    return who + " refuses " + me + " for reason " +
           std::to_string(static_cast<unsigned>(refusal.reason)) +
           ", which only a later version knows: run the same build of walrusd on all nodes";
}

}  // namespace walrus::net
