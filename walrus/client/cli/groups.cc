#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "walrus/client/cli/print.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/client/kafka_groups.h"

namespace walrus::client {
namespace {

struct Arguments {
    std::vector<std::string> groups;
};

Result<std::unique_ptr<KafkaAdmin>> open(const Context& context) {
    auto options = context.kafka_options();
    if (!options) return std::move(options).error();
    return KafkaAdmin::open(std::move(*options));
}

std::int64_t total_lag(const GroupDescription& group) {
    std::int64_t lag = 0;
    for (const GroupPosition& position : group.positions) lag += position.lag();
    return lag;
}

ExitCode list(const Context& context, const Arguments&) {
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    KafkaGroups groups(**admin);
    const auto listed = groups.list();
    if (!listed) return context.fail(listed.error());
    Json all = Json::array();
    Table table({"GROUP", "STATE", "MEMBERS>", "PARTITIONS>", "LAG>"});
    for (const GroupListing& listing : *listed) {
        const auto group = groups.describe(listing.name);
        // Gone since it was listed.
        if (!group && group.error().code == Errc::kNotFound) continue;
        if (!group) return context.fail(group.error());
        const std::int64_t lag = total_lag(*group);
        all.push_back({{"group", group->name},
                       {"state", group->state},
                       {"members", group->members.size()},
                       {"partitions", group->positions.size()},
                       {"lag", lag}});
        table.add({group->name, group->state, std::to_string(group->members.size()),
                   std::to_string(group->positions.size()), std::to_string(lag)});
    }
    if (context.json())
        print_json_list(context, all);
    else
        table.print(context);
    return context.finish();
}

Json group_json(const GroupDescription& group) {
    Json json = {{"group", group.name},        {"state", group.state},
                 {"assignor", group.assignor}, {"coordinator", group.coordinator},
                 {"lag", total_lag(group)},    {"members", Json::array()},
                 {"partitions", Json::array()}};
    for (const GroupMember& member : group.members)
        json["members"].push_back(
            {{"id", member.id}, {"client_id", member.client_id}, {"host", member.host}});
    for (const GroupPosition& position : group.positions) {
        Json at = {{"topic", position.topic},     {"partition", position.partition},
                   {"committed_offset", nullptr}, {"start_offset", position.start},
                   {"end_offset", position.end},  {"lag", position.lag()},
                   {"member", position.member}};
        if (position.committed) at["committed_offset"] = *position.committed;
        json["partitions"].push_back(std::move(at));
    }
    return json;
}

void print_group(const Context& context, const GroupDescription& group) {
    std::cout << fmt::format("group {}: {}, members {}, lag {}\n", group.name, group.state,
                             group.members.size(), total_lag(group));
    Table table({"TOPIC", "PARTITION>", "COMMITTED>", "END>", "LAG>", "MEMBER"});
    for (const GroupPosition& position : group.positions)
        table.add({position.topic, std::to_string(position.partition),
                   position.committed ? std::to_string(*position.committed) : "-",
                   std::to_string(position.end), std::to_string(position.lag()),
                   position.member.empty() ? "-" : position.member});
    table.print(context);
}

ExitCode describe(const Context& context, const Arguments& arguments) {
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    KafkaGroups groups(**admin);
    Json all = Json::array();
    for (const std::string& name : arguments.groups) {
        const auto group = groups.describe(name);
        if (!group) return context.fail(group.error());
        if (context.json())
            all.push_back(group_json(*group));
        else
            print_group(context, *group);
    }
    if (context.json()) print_json_list(context, all);
    return context.finish();
}

ExitCode remove(const Context& context, const Arguments& arguments) {
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    if (!context.confirmed(fmt::format("Delete {} with the committed offsets?",
                                       fmt::join(arguments.groups, ", "))))
        return ExitCode::kUsage;
    KafkaGroups groups(**admin);
    Json all = Json::array();
    for (const std::string& name : arguments.groups) {
        if (const Status deleted = groups.remove(name); !deleted)
            return context.fail(deleted.error());
        all.push_back({{"group", name}, {"deleted", true}});
        if (!context.json()) std::cout << "deleted " << name << '\n';
    }
    if (context.json()) print_json_list(context, all);
    return context.finish();
}

using Verb = ExitCode (*)(const Context&, const Arguments&);

void on_chosen(CLI::App* verb, Context& context, std::shared_ptr<Arguments> arguments, Verb run) {
    verb->callback([&context, arguments = std::move(arguments), run] {
        context.work = [&context, arguments, run] { return run(context, *arguments); };
    });
}

}  // namespace

void add_groups(CLI::App& app, Context& context) {
    CLI::App* groups = app.add_subcommand("groups", "Consumer groups and how far they are behind");
    groups->require_subcommand(1);
    groups->footer("\nExamples:\n  walrus-cli groups list\n  walrus-cli groups describe billing");
    const auto arguments = std::make_shared<Arguments>();

    CLI::App* verb = groups->add_subcommand("list", "All groups, with their lag");
    verb->footer("\nExamples:\n  walrus-cli groups list\n  walrus-cli -o jsonl groups list");
    on_chosen(verb, context, arguments, list);

    verb = groups->add_subcommand("describe", "Members, committed offsets and lag of groups");
    verb->footer(
        "\nExamples:\n  walrus-cli groups describe billing\n"
        "  walrus-cli -o json groups describe billing | jq '.[].lag'");
    verb->add_option("group", arguments->groups, "Names")->required();
    on_chosen(verb, context, arguments, describe);

    verb = groups->add_subcommand("delete", "Delete groups with what they have committed");
    verb->footer(
        "\nExamples:\n  walrus-cli groups delete billing --yes\n\n"
        "A group that has members is not deleted.");
    verb->add_option("group", arguments->groups, "Names")->required();
    on_chosen(verb, context, arguments, remove);
}

}  // namespace walrus::client
