#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <set>

#include "walrus/base/clock.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/record_text.h"
#include "walrus/client/cli/start_position.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/client/kafka_consumer.h"

namespace walrus::client {
namespace {

constexpr int kPollMs = 100;  // How soon an interrupt is noticed.

struct Arguments {
    std::string topic;
    std::string from;
    std::string group;
    std::vector<std::int32_t> partitions;  // None: all.
    std::uint64_t count = 0;               // 0: no limit.
    bool exit_at_end = false;
    std::string format = "%s\\n";
};

// Prints records in the form that was asked for.
class Printer {
public:
    Printer(const Context& context, RecordFormat format)
        : context_(context), format_(std::move(format)) {
        if (context_.output == Output::kJson) std::cout << '[';
    }

    void print(const IncomingRecord& record) {
        text_.clear();
        if (context_.output == Output::kText) {
            format_.append(record, text_);
        } else {
            if (context_.output == Output::kJson) text_ = records_ == 0 ? "\n" : ",\n";
            text_ += record_json(record).dump(-1, ' ', false, Json::error_handler_t::replace);
            if (context_.output == Output::kJsonLines) text_.push_back('\n');
        }
        std::cout.write(text_.data(), static_cast<std::streamsize>(text_.size()));
        ++records_;
        bytes_ += record.value ? record.value->size() : 0;
    }

    void finish() {
        if (context_.output == Output::kJson) std::cout << (records_ == 0 ? "]\n" : "\n]\n");
        std::cout.flush();
    }

    std::uint64_t records() const { return records_; }
    std::uint64_t bytes() const { return bytes_; }

private:
    const Context& context_;
    const RecordFormat format_;
    std::string text_;
    std::uint64_t records_ = 0;
    std::uint64_t bytes_ = 0;
};

// Reads until the count, the end, or somebody says that it is enough.
class Reading {
public:
    Reading(const Context& context, const Arguments& arguments, KafkaConsumer& consumer,
            Printer& printer)
        : context_(context),
          arguments_(arguments),
          consumer_(consumer),
          printer_(printer),
          // What is printed to the same terminal would be overwritten by it.
          progress_(context.progress && !context.stdout_terminal, "consuming") {}

    Status run() {
        while (!interrupted() && !enough()) {
            // What was printed is seen before we wait.
            auto event = consumer_.poll(0);
            if (event && event->kind == ConsumerEvent::Kind::kNothing) {
                std::cout.flush();
                event = consumer_.poll(kPollMs);
            }
            if (!std::cout.good()) return {};  // Told by finish().
            if (!event) {
                WALRUS_RETURN_IF_ERROR(bear(event.error()));
                continue;
            }
            WALRUS_RETURN_IF_ERROR(take(*event));
        }
        return {};
    }

private:
    bool enough() const {
        if (arguments_.count > 0 && printer_.records() >= arguments_.count) return true;
        if (!arguments_.exit_at_end || ended_.empty()) return false;
        return ended_.size() >= consumer_.assigned();
    }

    Status take(const ConsumerEvent& event) {
        if (event.kind == ConsumerEvent::Kind::kNothing) return {};
        trouble_since_ns_ = 0;
        if (event.kind == ConsumerEvent::Kind::kEndOfPartition) {
            ended_.insert(event.partition);
            return {};
        }
        ended_.erase(event.record.partition);
        printer_.print(event.record);
        progress_.update(printer_.records(), printer_.bytes());
        return consumer_.done_with(event.record);
    }

    // A server that went away may come back; not for ever.
    Status bear(const Error& error) {
        if (error.code != Errc::kClosed && error.code != Errc::kTimeout) return error;
        const std::uint64_t now = system_clock().monotonic_ns();
        if (trouble_since_ns_ == 0) {
            trouble_since_ns_ = now;
            context_.note("walrus-cli: " + error.message + "; trying again");
        }
        const std::uint64_t patience_ns = context_.timeout_ms * std::uint64_t{1'000'000};
        return now - trouble_since_ns_ < patience_ns ? Status{} : Status{error};
    }

    const Context& context_;
    const Arguments& arguments_;
    KafkaConsumer& consumer_;
    Printer& printer_;
    Progress progress_;
    std::set<std::int32_t> ended_;
    std::uint64_t trouble_since_ns_ = 0;  // 0: none.
};

Result<std::unique_ptr<KafkaConsumer>> join_group(const Context& context,
                                                  const Arguments& arguments) {
    using Kind = StartPosition::Kind;
    const auto position =
        parse_start_position(arguments.from.empty() ? "beginning" : arguments.from);
    if (!position) return position.error();
    if (position->kind != Kind::kBeginning && position->kind != Kind::kEnd)
        return Error{Errc::kInvalidArgument,
                     "--from with --group is beginning or end: where to start when nothing is "
                     "committed yet"};
    if (!arguments.partitions.empty())
        return Error{Errc::kInvalidArgument, "--partition: the group decides who reads which"};
    auto options = context.kafka_options();
    if (!options) return std::move(options).error();
    return KafkaConsumer::join(
        std::move(*options), arguments.topic,
        {.group = arguments.group, .from_beginning = position->kind == Kind::kBeginning});
}

Result<std::unique_ptr<KafkaConsumer>> read_alone(const Context& context,
                                                  const Arguments& arguments) {
    const auto position =
        parse_start_position(arguments.from.empty() ? "beginning" : arguments.from);
    if (!position) return position.error();
    auto options = context.kafka_options();
    if (!options) return std::move(options).error();
    auto admin = KafkaAdmin::open(*options);
    if (!admin) return std::move(admin).error();
    auto topic = (*admin)->topic(arguments.topic);
    if (!topic) return std::move(topic).error();
    for (const std::int32_t wanted : arguments.partitions)
        if (std::ranges::find(topic->partitions, wanted, &PartitionInfo::id) ==
            topic->partitions.end())
            return Error{Errc::kNotFound, fmt::format("topic {}: there is no partition {}",
                                                      arguments.topic, wanted)};
    if (!arguments.partitions.empty())
        std::erase_if(topic->partitions, [&](const PartitionInfo& partition) {
            return std::ranges::find(arguments.partitions, partition.id) ==
                   arguments.partitions.end();
        });
    const auto starts = resolve_start(*position, **admin, *topic);
    if (!starts) return starts.error();
    // The end is told when a fetch comes back empty: the server should not hold that one back.
    if (arguments.exit_at_end)
        options->properties.insert(options->properties.begin(), {"fetch.wait.max.ms", "10"});
    return KafkaConsumer::open(std::move(*options), arguments.topic, *starts);
}

ExitCode consume(const Context& context, const Arguments& arguments) {
    auto format = RecordFormat::parse(arguments.format);
    if (!format) return context.fail(format.error());
    catch_interrupts();
    const auto consumer =
        arguments.group.empty() ? read_alone(context, arguments) : join_group(context, arguments);
    if (!consumer) return context.fail(consumer.error());
    Printer printer(context, std::move(*format));
    const Status read = Reading(context, arguments, **consumer, printer).run();
    printer.finish();
    const Status closed = (*consumer)->close();
    if (!read) return context.fail(read.error());
    if (!closed) return context.fail(closed.error());
    return context.finish(interrupted() ? ExitCode::kInterrupted : ExitCode::kOk);
}

constexpr const char* kFooter = R"(
Examples:
  walrus-cli consume orders                     from the first record on, and wait for more
  walrus-cli consume orders --from -10 -e       the last ten of each partition, then exit
  walrus-cli consume orders --from 2026-11-23T18:30:00Z -n 5
  walrus-cli consume orders --from end -f '%T %k: %s\n'
  walrus-cli consume orders --group billing     as a member of a group, which commits
  walrus-cli -o jsonl consume orders -e | jq .value

--from: beginning (default), end, an offset, -N, ts:MILLISECONDS, or a time (UTC without a zone).
Format: %t topic, %p partition, %o offset, %T timestamp (ms), %k key, %K its length, %s value,
%S its length, %R the length as 4 bytes, %h headers, %%; \n \r \t \0 \\ \xHH.)";

void add_options(CLI::App* verb, Arguments& arguments) {
    verb->add_option("topic", arguments.topic, "Topic")->required();
    verb->add_option("--from", arguments.from, "Where to begin");
    verb->add_option("-p,--partition", arguments.partitions, "Of these partitions only")
        ->allow_extra_args(false)
        ->check(CLI::NonNegativeNumber);
    verb->add_option("-n,--count", arguments.count, "Stop after this many records");
    verb->add_flag("-e,--exit", arguments.exit_at_end, "Stop at the end of the topic");
    verb->add_option("-f,--format", arguments.format, "How a record is printed as text")
        ->capture_default_str();
    verb->add_option("-g,--group", arguments.group, "Read as a member of this group");
}

}  // namespace

void add_consume(CLI::App& app, Context& context) {
    CLI::App* verb = app.add_subcommand("consume", "Print records of a topic");
    verb->footer(kFooter);
    const auto arguments = std::make_shared<Arguments>();
    add_options(verb, *arguments);
    verb->callback([&context, arguments] {
        context.work = [&context, arguments] { return consume(context, *arguments); };
    });
}

}  // namespace walrus::client
