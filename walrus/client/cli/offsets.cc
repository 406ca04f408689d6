#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "walrus/client/cli/print.h"
#include "walrus/client/cli/start_position.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/client/kafka_admin.h"

namespace walrus::client {
namespace {

struct Arguments {
    std::string topic;
    std::string at;
};

ExitCode offsets(const Context& context, const Arguments& arguments) {
    std::optional<std::int64_t> time;
    if (!arguments.at.empty()) {
        const auto parsed = parse_time_ms(arguments.at);
        if (!parsed) return context.fail(parsed.error());
        time = *parsed;
    }
    auto options = context.kafka_options();
    if (!options) return context.fail(options.error());
    const auto admin = KafkaAdmin::open(std::move(*options));
    if (!admin) return context.fail(admin.error());
    const auto topic = (*admin)->topic(arguments.topic);
    if (!topic) return context.fail(topic.error());
    const auto found = (*admin)->offsets(*topic);
    if (!found) return context.fail(found.error());
    std::vector<std::pair<std::int32_t, std::int64_t>> at_time;
    if (time) {
        auto looked_up = (*admin)->offsets_at(*topic, *time);
        if (!looked_up) return context.fail(looked_up.error());
        at_time = std::move(*looked_up);
    }

    Json all = Json::array();
    std::vector<std::string> heads = {"PARTITION>", "START>", "END>", "RECORDS>"};
    if (time) heads.push_back("AT " + format_time(*time) + ">");
    Table table(heads);
    for (std::size_t i = 0; i < found->size(); ++i) {
        const PartitionOffsets& of = (*found)[i];
        Json json = {{"topic", arguments.topic},
                     {"partition", of.partition},
                     {"start_offset", of.start},
                     {"end_offset", of.end},
                     {"records", of.end - of.start}};
        std::vector<std::string> row = {std::to_string(of.partition), std::to_string(of.start),
                                        std::to_string(of.end), std::to_string(of.end - of.start)};
        if (time) {
            json["at_ms"] = *time;
            json["offset_at"] = at_time[i].second;
            row.push_back(std::to_string(at_time[i].second));
        }
        all.push_back(std::move(json));
        table.add(std::move(row));
    }
    if (context.json())
        print_json_list(context, all);
    else
        table.print(context);
    return context.finish();
}

}  // namespace

void add_offsets(CLI::App& app, Context& context) {
    CLI::App* verb = app.add_subcommand("offsets", "First and next offset of each partition");
    verb->footer(
        "\nExamples:\n  walrus-cli offsets orders\n"
        "  walrus-cli offsets orders --at 2026-11-23T18:30:00Z\n"
        "  walrus-cli -o json offsets orders --at ts:1700000000000\n\n"
        "RECORDS is end minus start: compacted or skipped offsets count too.");
    const auto arguments = std::make_shared<Arguments>();
    verb->add_option("topic", arguments->topic, "Topic")->required();
    verb->add_option("--at", arguments->at,
                     "Also the first offset that is not older than this time");
    verb->callback([&context, arguments] {
        context.work = [&context, arguments] { return offsets(context, *arguments); };
    });
}

}  // namespace walrus::client
