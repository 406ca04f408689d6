// Records as text and text as records: what produce reads and consume prints.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/base/result.h"
#include "walrus/client/kafka_consumer.h"
#include "walrus/client/kafka_producer.h"

namespace walrus::client {

using Json = nlohmann::ordered_json;

// --- output ---

// As kcat's -f:  %t topic  %p partition  %o offset  %T timestamp in ms  %k key  %K its length
// %s value  %S its length  %R the length as 4 bytes, big-endian  %h headers as a=b,c=d  %% a
// percent sign; \n \r \t \0 \\ \xHH.  What is not there has no text and the length -1.
class RecordFormat {
public:
    // kInvalidArgument names the token that is none.
    static Result<RecordFormat> parse(std::string_view text);

    void append(const IncomingRecord& record, std::string& out) const;

private:
    struct Piece {
        char token;  // 0: `literal` as it is.
        std::string literal;
    };
    std::vector<Piece> pieces_;
};

// {"topic","partition","offset","timestamp_ms","key","value","headers":[{"key","value"}]}.  What is
// no UTF-8 stands in "key_base64", "value_base64" instead; what is not there is null.
Json record_json(const IncomingRecord& record);

// --- input ---

// What the command line says about all records.
struct RecordDefaults {
    std::optional<std::string> key_delimiter = {};  // Before it stands the key of a line.
    std::optional<std::string> key = {};            // Of records without one of their own.
    std::vector<RecordHeader> headers = {};
    std::int32_t partition = -1;
};

// kInvalidArgument: a key delimiter was asked for and the line has none.
Result<OutgoingRecord> parse_line(std::string_view line, const RecordDefaults& defaults);

// One object: "value" and "key" as text or null, or as "value_base64", "key_base64"; "headers" as
// an object or as a list of {"key", "value"}; "partition", "timestamp_ms".  So what consume prints
// can be produced again; "topic" and "offset" are ignored, and "partition" is unless
// `keep_partition`.  kInvalidArgument says what is wrong.
Result<OutgoingRecord> parse_json_record(std::string_view line, const RecordDefaults& defaults,
                                         bool keep_partition);

// "name=value" or "name" (no value).
Result<RecordHeader> parse_header(std::string_view text);

// \n, \t, \r, \0, \\ and \xHH become what they stand for.
Result<std::string> unescape(std::string_view text);

}  // namespace walrus::client
