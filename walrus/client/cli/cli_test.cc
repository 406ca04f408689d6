// The program walrus-cli from outside: real processes and sockets, streams and exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "walrus/client/cli/test_program.h"
#include "walrus/client/test_text_server.h"

namespace walrus::client {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int16_t kProduceApi = 0;
constexpr const char* kNowhere = "127.0.0.1:1";

class WalrusCli : public ::testing::Test {
protected:
    Outcome run(std::vector<std::string> arguments, const std::string& input = "",
                std::vector<std::string> environment = {}) {
        return RunningProgram(scratch_, std::move(arguments), input, std::move(environment)).wait();
    }

    ScratchDirectory scratch_;
};

// --- the text protocol ---

class TextVerbs : public WalrusCli {
protected:
    static std::optional<std::string> answer(const std::string& command) {
        if (command == "GET t") return "OK one apple";
        if (command == "GET bytes") return "OK \xFF";
        if (command == "GET empty") return "EMPTY";
        if (command == "METRICS") return "{\"id\":1,\n\"state\":\"Leader\"}";
        if (command == "STATE t") return "{\"current_segment\":1}";
        if (command.ends_with("unknown")) return "ERR unknown topic unknown";
        if (command.ends_with("broken")) return "ERR append failed for t_broken_s_1";
        return "OK";
    }
    Outcome text(std::vector<std::string> arguments, const std::string& input = "") {
        arguments.insert(arguments.begin(), {"--addr", server_.address()});
        return run(std::move(arguments), input);
    }

    TestTextServer server_{answer};
};

TEST_F(TextVerbs, TheOriginalsVerbsDoWhatTheyDid) {
    const Outcome registered = text({"register", "t"});
    EXPECT_EQ(registered.exit_code, 0);
    EXPECT_EQ(registered.out, "");
    EXPECT_EQ(registered.err, "\u2192 connected target: " + server_.address() + "\n");
    EXPECT_EQ(text({"put", "t", "a b"}).out, "");
    EXPECT_EQ(text({"get", "t"}).out, "one apple\n");
    EXPECT_EQ(text({"get", "empty"}).out, "EMPTY\n");
    EXPECT_EQ(text({"state", "t"}).out, "{\"current_segment\":1}\n");
    EXPECT_EQ(text({"metrics"}).out, "{\"id\":1,\n\"state\":\"Leader\"}\n");
    EXPECT_EQ(text({"put", "t", "--", "--dashes"}).exit_code, 0);
    EXPECT_EQ(server_.commands(),
              (std::vector<std::string>{"REGISTER t", "PUT t a b", "GET t", "GET empty", "STATE t",
                                        "METRICS", "PUT t --dashes"}));
}

TEST_F(TextVerbs, JsonIsAlwaysOneDocument) {
    EXPECT_EQ(json::parse(text({"-o", "json", "register", "t"}).out)["registered"], true);
    EXPECT_EQ(json::parse(text({"put", "t", "abc", "-o", "json"}).out)["bytes"], 3);
    EXPECT_EQ(json::parse(text({"get", "t", "-o", "json"}).out),
              json::parse(R"({"topic":"t","empty":false,"value":"one apple"})"));
    EXPECT_EQ(json::parse(text({"get", "empty", "-o", "jsonl"}).out),
              json::parse(R"({"topic":"empty","empty":true,"value":null})"));
    EXPECT_EQ(json::parse(text({"get", "bytes", "-o", "json"}).out)["value_base64"], "/w==");
    EXPECT_EQ(text({"metrics", "-o", "jsonl"}).out, "{\"id\":1,\"state\":\"Leader\"}\n");
    EXPECT_EQ(json::parse(text({"metrics", "-o", "json"}).out)["id"], 1);
}

TEST_F(TextVerbs, ErrorsGoToStandardErrorWithAnExitCodeEach) {
    const Outcome unknown = text({"state", "unknown"});
    EXPECT_EQ(unknown.exit_code, 3);
    EXPECT_EQ(unknown.out, "");
    EXPECT_THAT(unknown.err, HasSubstr("unknown topic unknown"));
    EXPECT_EQ(text({"get", "broken"}).exit_code, 1);
    EXPECT_EQ(text({"get", "a b"}).exit_code, 2);
    EXPECT_EQ(text({"get"}).exit_code, 2);
    EXPECT_EQ(text({"put", "t"}).exit_code, 2);
    EXPECT_EQ(text({"put", "t", std::string(65'536, 'x')}).exit_code, 1);
    const Outcome away = run({"--addr", kNowhere, "metrics"});
    EXPECT_EQ(away.exit_code, 4);
    EXPECT_THAT(away.err, HasSubstr("is walrusd running there?"));
    EXPECT_EQ(run({"--addr", "a:b:c", "metrics"}).exit_code, 2);
}

TEST_F(TextVerbs, TheEnvironmentGivesTheAddressAndTheOptionWins) {
    const std::string here = "WALRUS_ADDR=" + server_.address();
    EXPECT_EQ(run({"get", "t"}, "", {here}).out, "one apple\n");
    EXPECT_EQ(run({"--addr", kNowhere, "get", "t"}, "", {here}).exit_code, 4);
    EXPECT_EQ(run({"-q", "get", "t"}, "", {here}).err, "");
}

TEST_F(TextVerbs, LinesFromAPipeAreSentOneByOne) {
    const Outcome fine = text({}, "REGISTER t\n\n GET t\nPUT t a  b \nMETRICS");
    EXPECT_EQ(fine.exit_code, 0);
    EXPECT_EQ(fine.out, "OK\nOK one apple\nOK\n{\"id\":1,\n\"state\":\"Leader\"}\n");
    EXPECT_EQ(server_.commands(),
              (std::vector<std::string>{"REGISTER t", "GET t", "PUT t a  b ", "METRICS"}));
    const Outcome refused = text({"repl"}, "GET unknown\nGET t\nquit\nGET t\n");
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(refused.out, "ERR unknown topic unknown\nOK one apple\n");
    const Outcome lines = text({"-o", "jsonl", "repl"}, "GET t\nGET unknown\n");
    EXPECT_EQ(json_lines(lines.out)[0]["reply"], "OK one apple");
    EXPECT_EQ(json_lines(lines.out)[1]["ok"], false);
    EXPECT_EQ(run({"--addr", kNowhere}, "GET t\n").exit_code, 4);
}

// --- Kafka's protocol ---

class KafkaVerbs : public WalrusCli {
protected:
    void SetUp() override { kafka_.create("orders", 1); }

    Outcome kafka(std::vector<std::string> arguments, const std::string& input = "") {
        arguments.insert(arguments.begin(), {"--kafka", kafka_.address(), "--timeout", "20s"});
        return run(std::move(arguments), input);
    }

    MockKafka kafka_;
};

TEST_F(KafkaVerbs, LinesGoInAndComeOut) {
    const Outcome produced = kafka({"produce", "orders"}, "one\n\nthree");
    ASSERT_EQ(produced.exit_code, 0) << produced.err;
    EXPECT_EQ(produced.out,
              "produced 3 records, 8 bytes to orders\n  partition 0: offsets 0 to 2\n");
    EXPECT_EQ(kafka({"consume", "orders", "-e"}).out, "one\n\nthree\n");
    EXPECT_EQ(kafka({"consume", "orders", "--from", "-1", "-e"}).out, "three\n");
    EXPECT_EQ(kafka({"consume", "orders", "--from", "1", "-n", "1", "-f", "%o:%s|"}).out, "1:|");
    EXPECT_EQ(kafka({"consume", "orders", "--from", "end", "-e"}).out, "");
    EXPECT_EQ(kafka({"-q", "produce", "orders"}, "four\n").out, "");
}

TEST_F(KafkaVerbs, EachFormOfOutputIsWhatItSays) {
    ASSERT_EQ(kafka({"produce", "orders", "-k", "\\t", "-H", "h=1"}, "k1\ta\nk2\tb\n").exit_code,
              0);
    const auto lines = json_lines(kafka({"consume", "orders", "-e", "-o", "jsonl"}).out);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["key"], "k1");
    EXPECT_EQ(lines[1]["value"], "b");
    EXPECT_EQ(lines[1]["headers"], json::parse(R"([{"key":"h","value":"1"}])"));
    const json all = json::parse(kafka({"consume", "orders", "-e", "-o", "json"}).out);
    EXPECT_EQ(all.size(), 2U);
    EXPECT_EQ(json::parse(kafka({"consume", "orders", "--from", "end", "-e", "-o", "json"}).out),
              json::array());
    const json produced = json::parse(kafka({"-o", "json", "produce", "orders"}, "c\nd\n").out);
    EXPECT_EQ(produced["records"], 2);
    EXPECT_EQ(produced["partitions"][0]["first_offset"], 2);
    EXPECT_EQ(produced["partitions"][0]["last_offset"], 3);
    EXPECT_EQ(json_lines(kafka({"-o", "jsonl", "produce", "orders"}, "e\n").out)[0]["offset"], 4);
}

TEST_F(KafkaVerbs, WhatWasConsumedAsJsonCanBeProducedAgain) {
    kafka_.create("copy", 1);
    const std::string bytes("\xFF\x00 binary", 9);
    ASSERT_EQ(kafka({"produce", "orders", "--payload-file", scratch_.write("blob", bytes), "--key",
                     "k", "-H", "a=b"})
                  .exit_code,
              0);
    const std::string jsonl = kafka({"consume", "orders", "-e", "-o", "jsonl"}).out;
    ASSERT_EQ(kafka({"produce", "copy", "-i", "jsonl"}, jsonl).exit_code, 0);
    json copy = json_lines(kafka({"consume", "copy", "-e", "-o", "jsonl"}).out).at(0);
    json original = json::parse(jsonl);
    original["topic"] = "copy";
    EXPECT_EQ(copy, original);
    EXPECT_EQ(kafka({"consume", "copy", "-e", "-f", "%s"}).out, bytes);
}

TEST_F(KafkaVerbs, FilesCountsAndBadLines) {
    const std::string file = scratch_.write("lines", "1\n2\n3\n4\n");
    EXPECT_EQ(kafka({"produce", "orders", file, file, "-n", "6"}).exit_code, 0);
    EXPECT_EQ(kafka({"consume", "orders", "-e", "-f", "%s"}).out, "123412");
    const Outcome bad =
        kafka({"produce", "orders", "-i", "jsonl"}, "{\"value\":\"5\"}\nnonsense\n");
    EXPECT_EQ(bad.exit_code, 2);
    EXPECT_THAT(bad.err, HasSubstr("line 2"));
    EXPECT_EQ(kafka({"consume", "orders", "--from", "-1", "-e", "-f", "%s"}).out, "5");
    EXPECT_EQ(kafka({"produce", "orders", scratch_.path("absent")}).exit_code, 3);
    EXPECT_EQ(kafka({"produce", "orders", "-z", "rar"}, "x\n").exit_code, 2);
    EXPECT_EQ(kafka({"produce", "orders", "-X", "no.such=1"}, "x\n").exit_code, 2);
}

TEST_F(KafkaVerbs, AckAndCompressionSettingsReachTheServer) {
    for (const char* codec : {"none", "gzip", "snappy", "lz4", "zstd"})
        EXPECT_EQ(kafka({"produce", "orders", "-z", codec, "--acks", "1"}, "abc\n").exit_code, 0)
            << codec;
    EXPECT_EQ(kafka({"produce", "orders", "--acks", "0"}, "abc\n").exit_code, 0);
    EXPECT_EQ(kafka({"produce", "orders", "--idempotent"}, "abc\n").exit_code, 0);
    EXPECT_EQ(kafka({"consume", "orders", "-e", "-f", "%s,"}).out, "abc,abc,abc,abc,abc,abc,abc,");
}

TEST_F(KafkaVerbs, ARefusedRecordIsAFailureThatNamesTheReason) {
    kafka_.refuse(kProduceApi, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
    const Outcome refused = kafka({"produce", "orders", "-o", "json"}, "x\n");
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("too large"));
    EXPECT_EQ(json::parse(refused.out)["failed"], 1);
    EXPECT_EQ(json::parse(refused.out)["records"], 0);
}

TEST_F(KafkaVerbs, TopicsAndOffsetsShowWhatIsThere) {
    kafka_.create("clicks", 2);
    ASSERT_EQ(kafka({"produce", "orders"}, "a\nb\n").exit_code, 0);
    const json topics = json::parse(kafka({"topics", "list", "-o", "json"}).out);
    ASSERT_EQ(topics.size(), 2U);
    EXPECT_EQ(topics[0]["topic"], "clicks");
    EXPECT_EQ(topics[0]["partitions"], 2);
    EXPECT_EQ(kafka({"topics", "list", "--names"}).out, "clicks\norders\n");
    EXPECT_THAT(kafka({"topics", "list"}).out, HasSubstr("clicks           2"));
    const json described = json::parse(kafka({"topics", "describe", "orders", "-o", "jsonl"}).out);
    EXPECT_EQ(described["partitions"][0]["end_offset"], 2);
    EXPECT_THAT(kafka({"topics", "describe", "orders"}).out, HasSubstr("topic orders"));
    const json offsets = json::parse(kafka({"offsets", "orders", "-o", "jsonl"}).out);
    EXPECT_EQ(offsets["start_offset"], 0);
    EXPECT_EQ(offsets["end_offset"], 2);
    EXPECT_THAT(kafka({"offsets", "orders"}).out, HasSubstr("RECORDS"));
}

// What a group does is in cli_system_test.py: the little Kafka takes its time to form one.
TEST_F(KafkaVerbs, AGroupDecidesWhoReadsWhat) {
    EXPECT_EQ(kafka({"consume", "orders", "-g", "billing", "--from", "5"}).exit_code, 2);
    EXPECT_EQ(kafka({"consume", "orders", "-g", "billing", "-p", "0"}).exit_code, 2);
}

TEST_F(KafkaVerbs, WhatTheServerDoesNotOfferIsSaidAndNothingBreaks) {
    for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
             {"groups", "list"}, {"groups", "delete", "g", "--yes"}}) {
        const Outcome refused = kafka(verb);
        EXPECT_EQ(refused.exit_code, 1) << verb[0] << verb[1] << refused.err;
        EXPECT_THAT(refused.err, HasSubstr("does not offer this"));
    }
}

TEST_F(KafkaVerbs, AnInterruptEndsAConsumerInOrder) {
    ASSERT_EQ(kafka({"produce", "orders"}, "a\n").exit_code, 0);
    RunningProgram consumer(scratch_,
                            {"--kafka", kafka_.address(), "consume", "orders", "-o", "json"});
    // It waits for more records: nothing else ends it.
    ASSERT_TRUE(consumer.wait_for_output("\"a\""));
    consumer.signal(SIGINT);
    const Outcome ended = consumer.wait();
    EXPECT_EQ(ended.exit_code, 130);
    EXPECT_EQ(json::parse(ended.out).at(0)["value"], "a");
}

TEST_F(KafkaVerbs, WhatIsNotThereIsNotFoundAndWhatIsAwayIsUnavailable) {
    EXPECT_EQ(kafka({"consume", "absent", "-e"}).exit_code, 3);
    EXPECT_EQ(kafka({"consume", "orders", "-p", "7", "-e"}).exit_code, 3);
    EXPECT_EQ(kafka({"offsets", "absent"}).exit_code, 3);
    EXPECT_EQ(kafka({"topics", "describe", "absent"}).exit_code, 3);
    EXPECT_EQ(kafka({"consume", "orders", "--from", "5", "-e"}).exit_code, 1);
    EXPECT_EQ(kafka({"consume", "orders", "--from", "x"}).exit_code, 2);
    EXPECT_EQ(kafka({"consume", "orders", "-f", "%q"}).exit_code, 2);
    EXPECT_EQ(kafka({"offsets", "orders", "--at", "noon"}).exit_code, 2);
    for (const std::vector<std::string>& verb :
         std::vector<std::vector<std::string>>{{"topics", "list"},
                                               {"consume", "orders"},
                                               {"offsets", "orders"},
                                               {"groups", "list"},
                                               {"produce", "orders"},
                                               {"consume", "orders", "-g", "g"}}) {
        std::vector<std::string> arguments = {"--kafka", kNowhere, "--timeout", "2s"};
        arguments.insert(arguments.end(), verb.begin(), verb.end());
        const Outcome away = run(arguments, "x\n");
        EXPECT_EQ(away.exit_code, 4) << verb[0];
        EXPECT_THAT(away.err, HasSubstr(kNowhere));
    }
}

TEST_F(KafkaVerbs, NothingIsDeletedWithoutATerminalOrAYes) {
    const Outcome refused = kafka({"topics", "delete", "orders"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("--yes"));
    EXPECT_THAT(kafka({"topics", "list", "--names"}).out, HasSubstr("orders"));
}

// --- the rest ---

TEST_F(WalrusCli, UsageIsExplainedAndEveryVerbHasExamples) {
    EXPECT_EQ(run({"dance"}).exit_code, 2);
    EXPECT_THAT(run({"dance"}).err, HasSubstr("unknown verb \"dance\""));
    EXPECT_THAT(run({"topics", "dance"}).err, HasSubstr("describe"));
    EXPECT_EQ(run({"topics"}).exit_code, 2);
    EXPECT_EQ(run({"-o", "yaml", "topics", "list"}).exit_code, 2);
    EXPECT_EQ(run({"--timeout", "soon", "metrics"}).exit_code, 2);
    EXPECT_THAT(run({"--version"}).out, HasSubstr("librdkafka 2."));
    for (const std::vector<std::string>& verb :
         std::vector<std::vector<std::string>>{{},
                                               {"register"},
                                               {"put"},
                                               {"get"},
                                               {"state"},
                                               {"metrics"},
                                               {"repl"},
                                               {"topics"},
                                               {"topics", "list"},
                                               {"topics", "create"},
                                               {"topics", "describe"},
                                               {"topics", "delete"},
                                               {"topics", "config"},
                                               {"produce"},
                                               {"consume"},
                                               {"groups"},
                                               {"groups", "list"},
                                               {"groups", "describe"},
                                               {"groups", "delete"},
                                               {"offsets"},
                                               {"wal"},
                                               {"wal", "verify"},
                                               {"wal", "dump"},
                                               {"wal", "repair"},
                                               {"doctor"},
                                               {"health"},
                                               {"completions"}}) {
        std::vector<std::string> arguments = verb;
        arguments.emplace_back("--help");
        const Outcome help = run(arguments);
        EXPECT_EQ(help.exit_code, 0);
        EXPECT_THAT(help.out, HasSubstr("Examples:")) << (verb.empty() ? "" : verb.back());
    }
}

TEST_F(WalrusCli, ALogThatIsNotThereIsNotFound) {
    const Outcome verified = run({"wal", "verify", scratch_.path("absent")});
    EXPECT_EQ(verified.exit_code, 3);
    EXPECT_THAT(verified.err, HasSubstr("walrus-cli wal"));
    EXPECT_EQ(run({"wal", "verify"}).exit_code, 2);
}

TEST_F(WalrusCli, BashCompletesVerbsOptionsAndChoices) {
    const std::string script = scratch_.write("completion", run({"completions", "bash"}).out);
    const auto complete = [&](const std::string& words, int at) {
        const std::string command = "bash -c 'source " + script + "; COMP_WORDS=(" + words +
                                    "); COMP_CWORD=" + std::to_string(at) +
                                    "; _walrus_cli; echo \"${COMPREPLY[*]}\"' >" +
                                    scratch_.path("words");
        EXPECT_EQ(std::system(command.c_str()), 0);
        return scratch_.read("words");
    };
    EXPECT_EQ(complete("walrus-cli to", 1), "topics\n");
    EXPECT_EQ(complete("walrus-cli topics de", 2), "describe delete\n");
    EXPECT_EQ(complete("walrus-cli -o json topics cr", 4), "create\n");
    EXPECT_EQ(complete("walrus-cli -o js", 2), "json jsonl\n");
    EXPECT_EQ(complete("walrus-cli consume orders --fr", 3), "--from\n");
    EXPECT_EQ(complete("walrus-cli produce t --compression z", 4), "zstd\n");
    EXPECT_THAT(complete("walrus-cli topics create t --tim", 4), HasSubstr("--timeout"));
    EXPECT_THAT(run({"completions", "zsh"}).out, HasSubstr("#compdef walrus-cli"));
    EXPECT_EQ(run({"completions", "fish"}).exit_code, 2);
}

}  // namespace
}  // namespace walrus::client
