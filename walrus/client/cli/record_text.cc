#include "walrus/client/cli/record_text.h"

#include <charconv>

#include "walrus/client/cli/base64.h"
#include "walrus/protocol/utf8.h"

namespace walrus::client {
namespace {

constexpr std::string_view kTokens = "tpoTkKsSRh%";

Error refuse(std::string message) {
    return {Errc::kInvalidArgument, std::move(message)};
}

// One escape, `text` beginning behind the backslash; takes it off.
Result<char> take_escape(std::string_view& text) {
    if (text.empty()) return refuse("a backslash at the end stands for nothing");
    const char kind = text[0];
    text.remove_prefix(1);
    switch (kind) {
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case '0': return '\0';
        case '\\': return '\\';
        case 'x': {
            unsigned value = 0;
            const std::string_view digits = text.substr(0, 2);
            const auto [stop, error] =
                std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
            if (error != std::errc{} || stop != digits.data() + 2)
                return refuse("\\x needs two hexadecimal digits");
            text.remove_prefix(2);
            return static_cast<char>(value);
        }
        default:
            return refuse(std::string("\\") + kind + " is no escape (\\n \\r \\t \\0 \\\\ \\xHH)");
    }
}

std::string length_text(const std::optional<std::string_view>& bytes) {
    return bytes ? std::to_string(bytes->size()) : "-1";
}

std::string length_bytes(const std::optional<std::string_view>& bytes) {
    const auto length = bytes ? static_cast<std::uint32_t>(bytes->size()) : 0xFFFF'FFFFU;
    std::string big_endian;
    for (int shift = 24; shift >= 0; shift -= 8)
        big_endian.push_back(static_cast<char>(length >> shift & 0xFF));
    return big_endian;
}

std::string headers_text(const IncomingRecord& record) {
    std::string text;
    for (const auto& [name, value] : record.headers) {
        if (!text.empty()) text.push_back(',');
        text.append(name).push_back('=');
        text.append(value.value_or(""));
    }
    return text;
}

void append_token(char token, const IncomingRecord& record, std::string& out) {
    switch (token) {
        case 't': out += record.topic; return;
        case 'p': out += std::to_string(record.partition); return;
        case 'o': out += std::to_string(record.offset); return;
        case 'T': out += std::to_string(record.timestamp_ms.value_or(-1)); return;
        case 'k': out += record.key.value_or(""); return;
        case 'K': out += length_text(record.key); return;
        case 's': out += record.value.value_or(""); return;
        case 'S': out += length_text(record.value); return;
        case 'R': out += length_bytes(record.value); return;
        case 'h': out += headers_text(record); return;
        default: out.push_back('%'); return;
    }
}

// Adds "name", or "name_base64", or null.
void add_bytes(Json& json, const std::string& name, const std::optional<std::string_view>& bytes) {
    if (!bytes)
        json[name] = nullptr;
    else if (protocol::is_utf8(*bytes))
        json[name] = *bytes;
    else
        json[name + "_base64"] = base64_encode(*bytes);
}

// Takes "name" or "name_base64" out of an object.  `found` tells whether there was one.
Result<std::optional<std::string>> take_bytes(const nlohmann::json& json, const std::string& name,
                                              bool& found) {
    const std::string encoded_name = name + "_base64";
    const auto encoded = json.find(encoded_name);
    const auto plain = json.find(name);
    found = encoded != json.end() || plain != json.end();
    if (encoded != json.end()) {
        if (!encoded->is_string()) return refuse("\"" + encoded_name + "\" must be a string");
        auto bytes = base64_decode(encoded->get_ref<const std::string&>());
        if (!bytes) return refuse("\"" + encoded_name + "\" is no base64");
        return bytes;
    }
    if (plain == json.end() || plain->is_null()) return std::optional<std::string>{};
    if (plain->is_string()) return std::optional(plain->get<std::string>());
    // {"value": {"a": 1}}: the record is the document.
    return std::optional(plain->dump());
}

Status add_header(const nlohmann::json& name, const nlohmann::json& value,
                  std::vector<RecordHeader>& headers) {
    if (!name.is_string()) return refuse("a header's \"key\" must be a string");
    if (!value.is_string() && !value.is_null())
        return refuse("the value of header \"" + name.get<std::string>() +
                      "\" must be a string or null");
    headers.emplace_back(name.get<std::string>(),
                         value.is_null() ? std::nullopt : std::optional(value.get<std::string>()));
    return {};
}

Status take_headers(const nlohmann::json& json, std::vector<RecordHeader>& headers) {
    const auto found = json.find("headers");
    if (found == json.end() || found->is_null()) return {};
    if (found->is_object()) {
        for (const auto& [name, value] : found->items())
            WALRUS_RETURN_IF_ERROR(add_header(nlohmann::json(name), value, headers));
        return {};
    }
    if (!found->is_array()) return refuse("\"headers\" must be an object or a list");
    for (const auto& header : *found) {
        if (!header.is_object() || !header.contains("key"))
            return refuse("an element of \"headers\" must be {\"key\": ..., \"value\": ...}");
        if (header["key"].is_string() && header.contains("value_base64")) {
            bool there = false;
            auto bytes = take_bytes(header, "value", there);
            if (!bytes) return std::move(bytes).error();
            headers.emplace_back(header["key"].get<std::string>(), std::move(*bytes));
            continue;
        }
        WALRUS_RETURN_IF_ERROR(
            add_header(header["key"], header.value("value", nlohmann::json()), headers));
    }
    return {};
}

// An integer that may be absent.
Result<std::optional<std::int64_t>> take_integer(const nlohmann::json& json, const char* name) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return std::optional<std::int64_t>{};
    if (!found->is_number_integer())
        return refuse(std::string("\"") + name + "\" must be an integer");
    return std::optional(found->get<std::int64_t>());
}

}  // namespace

Result<RecordFormat> RecordFormat::parse(std::string_view text) {
    RecordFormat format;
    const auto literal = [&format](char c) {
        auto& pieces = format.pieces_;
        if (pieces.empty() || pieces.back().token != 0) pieces.push_back({0, ""});
        pieces.back().literal.push_back(c);
    };
    while (!text.empty()) {
        const char c = text[0];
        text.remove_prefix(1);
        if (c == '\\') {
            const auto escaped = take_escape(text);
            if (!escaped) return escaped.error();
            literal(*escaped);
        } else if (c != '%') {
            literal(c);
        } else if (text.empty() || kTokens.find(text[0]) == std::string_view::npos) {
            return refuse("format: %" + std::string(text.substr(0, 1)) +
                          " is no token (%t %p %o %T %k %K %s %S %R %h %%)");
        } else {
            format.pieces_.push_back({text[0], ""});
            text.remove_prefix(1);
        }
    }
    return format;
}

void RecordFormat::append(const IncomingRecord& record, std::string& out) const {
    for (const Piece& piece : pieces_) {
        if (piece.token == 0)
            out += piece.literal;
        else
            append_token(piece.token, record, out);
    }
}

Json record_json(const IncomingRecord& record) {
    Json json = {{"topic", record.topic},
                 {"partition", record.partition},
                 {"offset", record.offset},
                 {"timestamp_ms", nullptr}};
    if (record.timestamp_ms) json["timestamp_ms"] = *record.timestamp_ms;
    add_bytes(json, "key", record.key);
    add_bytes(json, "value", record.value);
    json["headers"] = Json::array();
    for (const auto& [name, value] : record.headers) {
        Json header = {{"key", name}};
        add_bytes(header, "value", value);
        json["headers"].push_back(std::move(header));
    }
    return json;
}

Result<OutgoingRecord> parse_line(std::string_view line, const RecordDefaults& defaults) {
    OutgoingRecord record{
        .key = defaults.key, .headers = defaults.headers, .partition = defaults.partition};
    if (defaults.key_delimiter) {
        const std::size_t at = line.find(*defaults.key_delimiter);
        if (at == std::string_view::npos)
            return refuse("the key delimiter \"" + *defaults.key_delimiter + "\" is not in it");
        record.key = line.substr(0, at);
        line.remove_prefix(at + defaults.key_delimiter->size());
    }
    record.value = line;
    return record;
}

Result<OutgoingRecord> parse_json_record(std::string_view line, const RecordDefaults& defaults,
                                         bool keep_partition) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_discarded()) return refuse("it is no JSON");
    if (!json.is_object()) return refuse("it is JSON, but no object");
    OutgoingRecord record{.headers = defaults.headers, .partition = defaults.partition};
    bool found = false;
    auto value = take_bytes(json, "value", found);
    if (!value) return std::move(value).error();
    if (!found) return refuse("it has no \"value\" (null is a tombstone)");
    record.value = std::move(*value);
    auto key = take_bytes(json, "key", found);
    if (!key) return std::move(key).error();
    record.key = found ? std::move(*key) : defaults.key;
    WALRUS_RETURN_IF_ERROR(take_headers(json, record.headers));
    const auto timestamp = take_integer(json, "timestamp_ms");
    if (!timestamp) return timestamp.error();
    record.timestamp_ms = *timestamp;
    const auto partition = take_integer(json, "partition");
    if (!partition) return partition.error();
    if (keep_partition && *partition) {
        if (**partition < 0 || **partition > INT32_MAX)
            return refuse("\"partition\" is out of range");
        record.partition = static_cast<std::int32_t>(**partition);
    }
    return record;
}

Result<RecordHeader> parse_header(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (name.empty()) return refuse("header \"" + std::string(text) + "\": write name=value");
    if (equals == std::string_view::npos) return RecordHeader(name, std::nullopt);
    return RecordHeader(name, text.substr(equals + 1));
}

Result<std::string> unescape(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        const char c = text[0];
        text.remove_prefix(1);
        if (c != '\\') {
            plain.push_back(c);
            continue;
        }
        const auto escaped = take_escape(text);
        if (!escaped) return escaped.error();
        plain.push_back(*escaped);
    }
    return plain;
}

}  // namespace walrus::client
