#include "walrus/client/cli/record_text.h"

#include <gtest/gtest.h>

#include "walrus/client/cli/base64.h"

namespace walrus::client {
namespace {

using namespace std::string_literals;

constexpr std::string_view kBytes("\xFF\0", 2);  // No UTF-8.

IncomingRecord sample() {
    IncomingRecord record;
    record.topic = "orders";
    record.partition = 3;
    record.offset = 42;
    record.timestamp_ms = 1700000000123;
    record.key = "k1";
    record.value = "one apple";
    record.headers = {{"a", "1"}, {"b", std::nullopt}};
    return record;
}

std::string formatted(std::string_view format, const IncomingRecord& record) {
    const auto parsed = RecordFormat::parse(format);
    EXPECT_TRUE(parsed) << format;
    std::string out;
    if (parsed) parsed->append(record, out);
    return out;
}

TEST(RecordFormat, TokensStandForPartsOfTheRecord) {
    EXPECT_EQ(formatted("%t/%p/%o @%T %k(%K)=%s(%S) [%h] 100%%\\n", sample()),
              "orders/3/42 @1700000000123 k1(2)=one apple(9) [a=1,b=] 100%\n");
    EXPECT_EQ(formatted("%R%s", sample()), "\0\0\0\x09one apple"s);
    EXPECT_EQ(formatted("\\t\\r\\\\\\x41\\0|", sample()), "\t\r\\A\0|"s);
    EXPECT_EQ(formatted("", sample()), "");
}

TEST(RecordFormat, WhatIsNotThereHasNoTextAndTheLengthMinusOne) {
    IncomingRecord record;
    EXPECT_EQ(formatted("%k,%K,%s,%S,%T,%h", record), ",-1,,-1,-1,");
    EXPECT_EQ(formatted("%R", record), "\xFF\xFF\xFF\xFF");
    record.value = "";
    EXPECT_EQ(formatted("%S%R", record), "0\0\0\0\0"s);
}

TEST(RecordFormat, WhatIsNoTokenIsRefused) {
    for (const char* text : {"%", "%q", "a%", "\\", "\\q", "\\x4", "\\xgg"})
        EXPECT_EQ(RecordFormat::parse(text).error().code, Errc::kInvalidArgument) << text;
}

TEST(RecordJson, TextIsTextAndBytesAreBase64) {
    IncomingRecord record = sample();
    EXPECT_EQ(record_json(record).dump(),
              R"({"topic":"orders","partition":3,"offset":42,"timestamp_ms":1700000000123,)"
              R"("key":"k1","value":"one apple",)"
              R"("headers":[{"key":"a","value":"1"},{"key":"b","value":null}]})");
    record.key.reset();
    record.value = kBytes;
    const Json json = record_json(record);
    EXPECT_TRUE(json["key"].is_null());
    EXPECT_FALSE(json.contains("value"));
    EXPECT_EQ(json["value_base64"], "/wA=");
}

TEST(ParseLine, AKeyStandsBeforeTheFirstDelimiter) {
    EXPECT_EQ(parse_line("a:b:c", {.key_delimiter = ":"})->key, "a");
    EXPECT_EQ(parse_line("a:b:c", {.key_delimiter = ":"})->value, "b:c");
    EXPECT_EQ(parse_line(":b", {.key_delimiter = ":"})->key, "");
    EXPECT_EQ(parse_line("a=>b", {.key_delimiter = "=>"})->value, "b");
    EXPECT_EQ(parse_line("a b", {})->value, "a b");
    EXPECT_FALSE(parse_line("a b", {})->key.has_value());
    EXPECT_EQ(parse_line("a", {.key = "fixed"})->key, "fixed");
    EXPECT_EQ(parse_line("", {})->value, "");
    EXPECT_EQ(parse_line("ab", {.key_delimiter = ":"}).error().code, Errc::kInvalidArgument);
}

TEST(ParseJsonRecord, WhatConsumePrintsCanBeProducedAgain) {
    IncomingRecord record = sample();
    record.value = kBytes;
    const auto read = parse_json_record(record_json(record).dump(), {}, true);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->key, "k1");
    EXPECT_EQ(read->value, kBytes);
    EXPECT_EQ(read->headers, (std::vector<RecordHeader>{{"a", "1"}, {"b", std::nullopt}}));
    EXPECT_EQ(read->timestamp_ms, 1700000000123);
    EXPECT_EQ(read->partition, 3);
    EXPECT_EQ(parse_json_record(record_json(record).dump(), {}, false)->partition, -1);
}

TEST(ParseJsonRecord, WrittenByHandItMayBeShort) {
    const auto read = parse_json_record(R"({"value":{"a":[1]},"headers":{"x":"y","z":null}})",
                                        {.key = "k"}, false);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->value, R"({"a":[1]})");
    EXPECT_EQ(read->key, "k");
    EXPECT_EQ(read->headers, (std::vector<RecordHeader>{{"x", "y"}, {"z", std::nullopt}}));
    EXPECT_FALSE(parse_json_record(R"({"value":null})", {}, false)->value.has_value());
    EXPECT_FALSE(parse_json_record(R"({"key":null,"value":""})", {.key = "k"}, false)->key);
}

TEST(ParseJsonRecord, WhatIsNoRecordIsRefusedWithTheReason) {
    const std::pair<const char*, const char*> bad[] = {
        {"x", "no JSON"},
        {"[1]", "no object"},
        {"{}", "no \"value\""},
        {R"({"value_base64":"?"})", "base64"},
        {R"({"value":"v","headers":3})", "headers"},
        {R"({"value":"v","headers":[1]})", "headers"},
        {R"({"value":"v","headers":{"a":1}})", "\"a\""},
        {R"({"value":"v","headers":[{"key":1,"value_base64":"AA=="}]})", "key"},
        {R"({"value":"v","timestamp_ms":"now"})", "timestamp_ms"},
        {R"({"value":"v","partition":-2})", "partition"}};
    for (const auto& [text, why] : bad) {
        const auto read = parse_json_record(text, {}, true);
        ASSERT_FALSE(read) << text;
        EXPECT_NE(read.error().message.find(why), std::string::npos) << read.error().message;
    }
}

TEST(ParseHeader, AHeaderHasANameAndPerhapsAValue) {
    EXPECT_EQ(*parse_header("a=b=c"), RecordHeader("a", "b=c"));
    EXPECT_EQ(*parse_header("a="), RecordHeader("a", ""));
    EXPECT_EQ(*parse_header("a"), RecordHeader("a", std::nullopt));
    EXPECT_FALSE(parse_header("=b"));
    EXPECT_FALSE(parse_header(""));
}

TEST(Base64, EveryLengthGoesThereAndBack) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
        bytes.push_back(static_cast<char>(i * 7));
    }
    EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
    EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
    for (const char* bad : {"a", "ab=", "a===", "ab=c", "ab!c", "===="})
        EXPECT_FALSE(base64_decode(bad)) << bad;
}

}  // namespace
}  // namespace walrus::client
