#include "walrus/raft/codec.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "walrus/base/assert.h"

namespace walrus::raft {
namespace {

constexpr std::size_t kMinEntrySize = 8 + 8 + 1 + 4;
// No group lives long enough to get here; above it, adding one could wrap around.
constexpr std::uint64_t kMaxPosition = std::uint64_t{1} << 62;

Error corrupt(std::string what) {
    return {Errc::kCorruption, "raft codec: " + std::move(what)};
}

// Appends fields to a string.
class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    template <class T>
    void number(T value) {
        std::byte raw[sizeof(T)];
        store_le(raw, value);
        out_.append(reinterpret_cast<const char*>(raw), sizeof raw);
    }
    void version() { number(kCodecVersion); }
    void flag(bool value) { number(static_cast<std::uint8_t>(value)); }
    void bytes(const Payload& data) {
        WALRUS_ASSERT(data.size() <= std::numeric_limits<std::uint32_t>::max());
        number(static_cast<std::uint32_t>(data.size()));
        out_.append(data.text());
    }
    void nodes(const std::vector<NodeId>& ids) {
        number(static_cast<std::uint16_t>(ids.size()));
        for (const NodeId id : ids) number(id);
    }
    void conf(const ConfState& conf) {
        nodes(conf.voters);
        nodes(conf.outgoing);
        nodes(conf.learners);
        nodes(conf.next_learners);
        flag(conf.auto_leave);
    }
    void snapshot(const SnapshotMeta& meta) {
        number(meta.index);
        number(meta.term);
        conf(meta.conf);
    }
    void entry(const Entry& entry) {
        number(entry.index);
        number(entry.term);
        number(static_cast<std::uint8_t>(entry.kind));
        bytes(entry.data);
    }

private:
    std::string& out_;
};

// Takes fields from bytes.  After the first fault every read yields zero and ok() stays false.
class Reader {
public:
    explicit Reader(Bytes bytes) : left_(bytes) {}

    bool ok() const { return ok_; }
    bool done() const { return ok_ && left_.empty(); }
    void fail() { ok_ = false; }

    template <class T>
    T number() {
        if (!ok_ || left_.size() < sizeof(T)) {
            ok_ = false;
            return 0;
        }
        const T value = load_le<T>(left_.data());
        left_ = left_.subspan(sizeof(T));
        return value;
    }
    std::uint64_t u64() { return number<std::uint64_t>(); }
    bool flag() {
        const auto value = number<std::uint8_t>();
        if (value > 1) ok_ = false;
        return ok_ && value == 1;
    }
    void version() {
        if (number<std::uint8_t>() != kCodecVersion) ok_ = false;
    }
    Payload bytes() {
        const auto size = number<std::uint32_t>();
        if (!ok_ || left_.size() < size) {
            ok_ = false;
            return {};
        }
        Payload data{std::string(as_text(left_.first(size)))};
        left_ = left_.subspan(size);
        return data;
    }
    std::vector<NodeId> nodes() {
        const auto count = number<std::uint16_t>();
        if (!ok_ || count > kMaxMembers) {
            ok_ = false;
            return {};
        }
        std::vector<NodeId> ids;
        ids.reserve(count);
        for (std::uint16_t i = 0; i < count; ++i) ids.push_back(u64());
        return ids;
    }
    ConfState conf() {
        ConfState conf;
        conf.voters = nodes();
        conf.outgoing = nodes();
        conf.learners = nodes();
        conf.next_learners = nodes();
        conf.auto_leave = flag();
        if (ok_ && !valid(conf)) ok_ = false;
        return conf;
    }
    SnapshotMeta snapshot() {
        SnapshotMeta meta;
        meta.index = u64();
        meta.term = u64();
        meta.conf = conf();
        return meta;
    }
    Entry entry() {
        Entry entry;
        entry.index = u64();
        entry.term = u64();
        const auto kind = number<std::uint8_t>();
        if (kind > static_cast<std::uint8_t>(EntryKind::kConfChange)) ok_ = false;
        entry.kind = static_cast<EntryKind>(kind);
        entry.data = bytes();
        return entry;
    }
    std::vector<Entry> entries() {
        const auto count = number<std::uint32_t>();
        if (!ok_ || count > left_.size() / kMinEntrySize) {
            ok_ = false;
            return {};
        }
        std::vector<Entry> result;
        result.reserve(count);
        for (std::uint32_t i = 0; i < count && ok_; ++i) result.push_back(entry());
        return result;
    }

private:
    Bytes left_;
    bool ok_ = true;
};

void write(Writer& out, const VoteRequest& body) {
    out.flag(body.pre_vote);
    out.flag(body.transfer);
    out.number(body.last_index);
    out.number(body.last_term);
}

void write(Writer& out, const VoteReply& body) {
    out.flag(body.pre_vote);
    out.flag(body.granted);
}

void write(Writer& out, const AppendRequest& body) {
    out.number(body.prev_index);
    out.number(body.prev_term);
    out.number(body.commit);
    out.number(static_cast<std::uint32_t>(body.entries.size()));
    for (const Entry& entry : body.entries) out.entry(entry);
}

void write(Writer& out, const AppendReply& body) {
    out.flag(body.accepted);
    out.number(body.match_index);
    out.number(body.rejected_prev);
    out.number(body.hint_index);
    out.number(body.hint_term);
}

void write(Writer& out, const HeartbeatRequest& body) {
    out.number(body.commit);
    out.number(body.round);
}

void write(Writer& out, const HeartbeatReply& body) {
    out.number(body.round);
}

void write(Writer& out, const SnapshotChunk& body) {
    out.snapshot(body.meta);
    out.number(body.offset);
    out.flag(body.done);
    out.bytes(body.data);
}

void write(Writer& out, const SnapshotReply& body) {
    out.number(body.snapshot_index);
    out.number(body.next_offset);
}

void write(Writer&, const TimeoutNow&) {}

void write(Writer& out, const ReadRequest& body) {
    out.number(body.id);
}

void write(Writer& out, const ReadReply& body) {
    out.number(body.id);
    out.flag(body.confirmed);
    out.number(body.index);
}

void write(Writer& out, const ProposeRequest& body) {
    out.bytes(body.data);
}

// Overloads by type: the argument says which body is wanted.
MessageBody read(Reader& in, VoteRequest body) {
    body.pre_vote = in.flag();
    body.transfer = in.flag();
    body.last_index = in.u64();
    body.last_term = in.u64();
    return body;
}

MessageBody read(Reader& in, VoteReply body) {
    body.pre_vote = in.flag();
    body.granted = in.flag();
    return body;
}

MessageBody read(Reader& in, AppendRequest body) {
    body.prev_index = in.u64();
    body.prev_term = in.u64();
    body.commit = in.u64();
    body.entries = in.entries();
    return body;
}

MessageBody read(Reader& in, AppendReply body) {
    body.accepted = in.flag();
    body.match_index = in.u64();
    body.rejected_prev = in.u64();
    body.hint_index = in.u64();
    body.hint_term = in.u64();
    return body;
}

MessageBody read(Reader& in, HeartbeatRequest body) {
    body.commit = in.u64();
    body.round = in.u64();
    return body;
}

MessageBody read(Reader& in, HeartbeatReply body) {
    body.round = in.u64();
    return body;
}

MessageBody read(Reader& in, SnapshotChunk body) {
    body.meta = in.snapshot();
    body.offset = in.u64();
    body.done = in.flag();
    body.data = in.bytes();
    return body;
}

MessageBody read(Reader& in, SnapshotReply body) {
    body.snapshot_index = in.u64();
    body.next_offset = in.u64();
    return body;
}

MessageBody read(Reader&, TimeoutNow body) {
    return body;
}

MessageBody read(Reader& in, ReadRequest body) {
    body.id = in.u64();
    return body;
}

MessageBody read(Reader& in, ReadReply body) {
    body.id = in.u64();
    body.confirmed = in.flag();
    body.index = in.u64();
    return body;
}

MessageBody read(Reader& in, ProposeRequest body) {
    body.data = in.bytes();
    return body;
}

// Reads the body whose position in the variant is `type`.
template <std::size_t position = 0>
MessageBody read_body(Reader& in, std::uint8_t type) {
    if constexpr (position == std::variant_size_v<MessageBody>) {
        in.fail();
        return {};
    } else {
        if (type != position) return read_body<position + 1>(in, type);
        return read(in, std::variant_alternative_t<position, MessageBody>{});
    }
}

template <class T>
std::string encode_with(T&& fields) {
    std::string out;
    Writer writer(out);
    writer.version();
    fields(writer);
    return out;
}

// Decodes one value that must fill all of `bytes`.
template <class T, class Fields>
Result<T> decode_with(Bytes bytes, const char* what, Fields&& fields) {
    Reader in(bytes);
    in.version();
    T value = fields(in);
    if (!in.done()) return corrupt(std::string("malformed ") + what);
    return value;
}

Status check_entries(const AppendRequest& body, Term term) {
    if (body.prev_term > term) return corrupt("append: previous term is above the sender's");
    Index index = body.prev_index;
    Term last_term = body.prev_term;
    if (index > kMaxPosition) return corrupt("append: impossible position");
    for (const Entry& entry : body.entries) {
        if (entry.index != ++index) return corrupt("append: entries are not contiguous");
        if (entry.term < last_term || entry.term > term || entry.term == 0) {
            return corrupt("append: term out of order at index " + std::to_string(index));
        }
        last_term = entry.term;
        if (entry.kind != EntryKind::kConfChange) continue;
        WALRUS_RETURN_IF_ERROR(decode_conf_state(as_bytes(entry.data.text())));
    }
    return {};
}

Status check_snapshot(const SnapshotChunk& body, Term term) {
    const bool too_far = body.meta.index > kMaxPosition || body.offset > kMaxPosition;
    if (too_far || body.meta.index == 0 || body.meta.term == 0 || body.meta.term > term) {
        return corrupt("snapshot: impossible position");
    }
    if (!valid(body.meta.conf) || body.meta.conf.voters.empty()) {
        return corrupt("snapshot: invalid configuration");
    }
    return {};
}

}  // namespace

std::string encode(const Message& message) {
    return encode_with([&](Writer& out) {
        out.number(static_cast<std::uint8_t>(message.body.index()));
        out.number(message.from);
        out.number(message.to);
        out.number(message.term);
        std::visit([&](const auto& body) { write(out, body); }, message.body);
    });
}

std::string encode(const Entry& entry) {
    return encode_with([&](Writer& out) { out.entry(entry); });
}

std::string encode(const HardState& hard_state) {
    return encode_with([&](Writer& out) {
        out.number(hard_state.term);
        out.number(hard_state.vote);
        out.number(hard_state.commit);
    });
}

std::string encode(const SnapshotMeta& meta) {
    return encode_with([&](Writer& out) { out.snapshot(meta); });
}

std::string encode(const ConfState& conf) {
    return encode_with([&](Writer& out) { out.conf(conf); });
}

Result<Message> decode_message(Bytes bytes) {
    auto message = decode_with<Message>(bytes, "message", [](Reader& in) {
        Message m;
        const auto type = in.number<std::uint8_t>();
        m.from = in.u64();
        m.to = in.u64();
        m.term = in.u64();
        m.body = read_body(in, type);
        return m;
    });
    if (message) WALRUS_RETURN_IF_ERROR(validate(*message));
    return message;
}

Result<Entry> decode_entry(Bytes bytes) {
    return decode_with<Entry>(bytes, "entry", [](Reader& in) { return in.entry(); });
}

Result<HardState> decode_hard_state(Bytes bytes) {
    return decode_with<HardState>(bytes, "hard state", [](Reader& in) {
        HardState hard_state;
        hard_state.term = in.u64();
        hard_state.vote = in.u64();
        hard_state.commit = in.u64();
        return hard_state;
    });
}

Result<SnapshotMeta> decode_snapshot_meta(Bytes bytes) {
    return decode_with<SnapshotMeta>(bytes, "snapshot metadata",
                                     [](Reader& in) { return in.snapshot(); });
}

Result<ConfState> decode_conf_state(Bytes bytes) {
    return decode_with<ConfState>(bytes, "configuration", [](Reader& in) { return in.conf(); });
}

Status validate(const Message& message) {
    if (message.from == kNobody || message.to == kNobody || message.from == message.to) {
        return corrupt("message without proper addresses");
    }
    if (message.term == 0 || message.term > kMaxPosition) {
        return corrupt("message of an impossible term");
    }
    if (const auto* append = std::get_if<AppendRequest>(&message.body)) {
        return check_entries(*append, message.term);
    }
    if (const auto* chunk = std::get_if<SnapshotChunk>(&message.body)) {
        return check_snapshot(*chunk, message.term);
    }
    return {};
}

}  // namespace walrus::raft
