#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>

#include "walrus/client/cli/line_source.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/record_text.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/client/kafka_producer.h"

namespace walrus::client {
namespace {

struct Arguments {
    std::string topic;
    std::vector<std::string> files;          // Of lines; none: standard input.
    std::vector<std::string> payload_files;  // Each a whole record.
    std::string input = "lines";
    std::optional<std::string> key;
    std::optional<std::string> key_delimiter;
    std::vector<std::string> headers;
    std::int32_t partition = -1;
    bool keep_partition = false;
    std::uint64_t count = 0;  // 0: all there are.
    ProducerSettings settings;
};

// What came of it, told at the end.
class Tally {
public:
    explicit Tally(const Context& context, std::string topic)
        : context_(context), topic_(std::move(topic)) {}

    void note(const Delivery& delivery) {
        if (!delivery.status) {
            if (failed_++ == 0) first_failure_ = delivery.status;
            return;
        }
        ++delivered_;
        bytes_ += delivery.value_bytes;
        auto& range = partitions_[delivery.partition];
        if (range.records++ == 0) range.first = delivery.offset;
        range.first = std::min(range.first, delivery.offset);
        range.last = std::max(range.last, delivery.offset);
        if (context_.output == Output::kJsonLines)
            print_json(context_, {{"topic", topic_},
                                  {"partition", delivery.partition},
                                  {"offset", delivery.offset}});
    }

    std::uint64_t settled() const { return delivered_ + failed_; }
    std::uint64_t bytes() const { return bytes_; }
    const Status& first_failure() const { return first_failure_; }

    void print() const {
        if (context_.output == Output::kJson) return print_document();
        if (context_.output != Output::kText || context_.quiet) return;
        std::cout << fmt::format("produced {} records, {} bytes to {}\n", delivered_, bytes_,
                                 topic_);
        for (const auto& [partition, range] : partitions_)
            if (range.first >= 0)
                std::cout << fmt::format("  partition {}: offsets {} to {}\n", partition,
                                         range.first, range.last);
        if (failed_ > 0) std::cout << fmt::format("  NOT produced: {} records\n", failed_);
    }

private:
    struct Range {
        std::uint64_t records = 0;
        std::int64_t first = 0;
        std::int64_t last = -1;
    };

    void print_document() const {
        Json json = {{"topic", topic_},
                     {"records", delivered_},
                     {"failed", failed_},
                     {"bytes", bytes_},
                     {"partitions", Json::array()}};
        for (const auto& [partition, range] : partitions_)
            json["partitions"].push_back({{"partition", partition},
                                          {"records", range.records},
                                          {"first_offset", range.first},
                                          {"last_offset", range.last}});
        print_json(context_, json);
    }

    const Context& context_;
    const std::string topic_;
    std::map<std::int32_t, Range> partitions_;
    std::uint64_t delivered_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t bytes_ = 0;
    Status first_failure_;
};

// Sends until the input, the count, or the server's patience ends.
class Sender {
public:
    Sender(const Arguments& arguments, const RecordDefaults& defaults, KafkaProducer& producer,
           const Tally& tally, bool progress)
        : arguments_(arguments),
          defaults_(defaults),
          producer_(producer),
          tally_(tally),
          progress_(progress, "producing") {}

    Status send_everything() {
        for (const std::string& path : arguments_.payload_files) {
            if (done()) break;
            WALRUS_RETURN_IF_ERROR(send_file(path));
        }
        if (!arguments_.payload_files.empty() && arguments_.files.empty()) return {};
        std::vector<std::string> files = arguments_.files;
        if (files.empty()) files.emplace_back("-");
        for (const std::string& path : files) {
            if (done()) break;
            WALRUS_RETURN_IF_ERROR(send_lines(path));
        }
        return {};
    }

private:
    // A record that failed says that the next one would too: nothing more is sent.
    bool done() const {
        return interrupted() || !tally_.first_failure() ||
               (arguments_.count > 0 && sent_ >= arguments_.count);
    }

    Status send(const OutgoingRecord& record) {
        WALRUS_RETURN_IF_ERROR(producer_.send(record));
        ++sent_;
        progress_.update(tally_.settled(), tally_.bytes());
        return {};
    }

    Status send_file(const std::string& path) {
        auto source = LineSource::open(path);
        if (!source) return std::move(source).error();
        auto bytes = source->rest();
        if (!bytes) return std::move(bytes).error();
        return send({.key = defaults_.key,
                     .value = std::move(*bytes),
                     .headers = defaults_.headers,
                     .partition = defaults_.partition});
    }

    Status send_lines(const std::string& path) {
        auto source = LineSource::open(path);
        if (!source) return std::move(source).error();
        const bool json = arguments_.input == "jsonl";
        for (std::uint64_t number = 1; !done(); ++number) {
            std::string_view line;
            const auto there = source->next(line);
            if (!there) return there.error();
            if (!*there) return {};
            if (json && line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            auto record = json ? parse_json_record(line, defaults_, arguments_.keep_partition)
                               : parse_line(line, defaults_);
            if (!record)
                return Error{record.error().code,
                             fmt::format("{} line {}: {}", path == "-" ? "input" : path, number,
                                         record.error().message)};
            WALRUS_RETURN_IF_ERROR(send(*record));
        }
        return {};
    }

    const Arguments& arguments_;
    const RecordDefaults& defaults_;
    KafkaProducer& producer_;
    const Tally& tally_;
    Progress progress_;
    std::uint64_t sent_ = 0;
};

Result<RecordDefaults> make_defaults(const Arguments& arguments) {
    RecordDefaults defaults{.key = arguments.key, .partition = arguments.partition};
    if (arguments.key_delimiter) {
        auto delimiter = unescape(*arguments.key_delimiter);
        if (!delimiter) return std::move(delimiter).error();
        if (delimiter->empty()) return Error{Errc::kInvalidArgument, "the key delimiter is empty"};
        defaults.key_delimiter = std::move(*delimiter);
    }
    for (const std::string& text : arguments.headers) {
        auto header = parse_header(text);
        if (!header) return std::move(header).error();
        defaults.headers.push_back(std::move(*header));
    }
    return defaults;
}

ExitCode produce(const Context& context, const Arguments& arguments) {
    const auto defaults = make_defaults(arguments);
    if (!defaults) return context.fail(defaults.error());
    auto options = context.kafka_options();
    if (!options) return context.fail(options.error());
    Tally tally(context, arguments.topic);
    auto producer = KafkaProducer::open(std::move(*options), arguments.topic, arguments.settings,
                                        [&](const Delivery& delivery) { tally.note(delivery); });
    if (!producer) return context.fail(producer.error());
    catch_interrupts();
    if (arguments.files.empty() && arguments.payload_files.empty() && ::isatty(STDIN_FILENO) == 1)
        context.note("One record a line; Ctrl-D ends.");

    Status sent =
        Sender(arguments, *defaults, **producer, tally, context.progress).send_everything();
    const Status flushed = (*producer)->flush();
    tally.print();
    if (!tally.first_failure()) return context.fail(tally.first_failure().error());
    if (!sent) return context.fail(sent.error());
    if (!flushed) return context.fail(flushed.error());
    return context.finish(interrupted() ? ExitCode::kInterrupted : ExitCode::kOk);
}

constexpr const char* kFooter = R"(
Examples:
  seq 100 | walrus-cli produce numbers
  walrus-cli produce logs /var/log/syslog --compression zstd
  printf 'k1:one\nk2:two\n' | walrus-cli produce orders -k :
  walrus-cli produce pictures --payload-file cat.png --key cat -H type=png
  walrus-cli -o jsonl consume a -e | walrus-cli produce b -i jsonl
  echo '{"key":"k","value":"v","headers":{"a":"b"}}' | walrus-cli produce orders -i jsonl

A line of -i jsonl is an object: "value" and "key" (text or null; other JSON is sent as it is
written; "value_base64", "key_base64" for bytes), "headers", "timestamp_ms", "partition".
With -o json one document tells what was produced, with -o jsonl one line for each record.)";

void add_options(CLI::App* verb, Arguments& arguments) {
    verb->add_option("topic", arguments.topic, "Topic")->required();
    verb->add_option("file", arguments.files, "Files of records (default: standard input, -)");
    verb->add_option("--payload-file", arguments.payload_files, "The whole file is one record")
        ->allow_extra_args(false);
    verb->add_option("-i,--input", arguments.input, "What a line is: a record, or JSON")
        ->check(CLI::IsMember({"lines", "jsonl"}))
        ->capture_default_str();
    verb->add_option("-k,--key-delimiter", arguments.key_delimiter,
                     "What stands between key and record in a line (\\t and so on are known)");
    verb->add_option("--key", arguments.key, "Key of records without one");
    verb->add_option("-H,--header", arguments.headers, "Header of every record: name=value")
        ->allow_extra_args(false);
    verb->add_option("-p,--partition", arguments.partition,
                     "Partition (default: by the key, or by turns)")
        ->check(CLI::NonNegativeNumber);
    verb->add_flag("--keep-partition", arguments.keep_partition,
                   "With -i jsonl: each record goes to the partition that its line names");
    verb->add_option("-n,--count", arguments.count, "Stop after this many records");
    verb->add_option("--acks", arguments.settings.acks,
                     "Who must have a record: nobody (0), the leader (1), all (as durable as the "
                     "topic promises)")
        ->check(CLI::IsMember({"0", "1", "all"}))
        ->capture_default_str();
    verb->add_option("-z,--compression", arguments.settings.compression, "Of batches")
        ->check(CLI::IsMember({"none", "gzip", "snappy", "lz4", "zstd"}))
        ->capture_default_str();
    verb->add_flag("--idempotent", arguments.settings.idempotent,
                   "A record that is sent again is stored once");
    verb->add_option("--linger-ms", arguments.settings.linger_ms,
                     "How long a batch waits for more records")
        ->capture_default_str();
}

}  // namespace

void add_produce(CLI::App& app, Context& context) {
    CLI::App* verb = app.add_subcommand("produce", "Append records from lines, files or JSON");
    verb->footer(kFooter);
    const auto arguments = std::make_shared<Arguments>();
    add_options(verb, *arguments);
    verb->callback([&context, arguments] {
        context.work = [&context, arguments] { return produce(context, *arguments); };
    });
}

}  // namespace walrus::client
