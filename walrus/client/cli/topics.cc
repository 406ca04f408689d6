#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "walrus/client/cli/print.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/client/kafka_admin.h"

namespace walrus::client {
namespace {

struct Arguments {
    std::vector<std::string> topics;
    NewTopic made;
    std::vector<std::string> config;
    bool if_not_exists = false;
    bool if_exists = false;
    bool names_only = false;
};

Result<std::unique_ptr<KafkaAdmin>> open(const Context& context) {
    auto options = context.kafka_options();
    if (!options) return std::move(options).error();
    return KafkaAdmin::open(std::move(*options));
}

// --- list ---

ExitCode list(const Context& context, const Arguments& arguments) {
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    const auto cluster = (*admin)->cluster();
    if (!cluster) return context.fail(cluster.error());
    Json all = Json::array();
    Table table({"TOPIC", "PARTITIONS>", "REPLICAS>"});
    for (const TopicInfo& topic : cluster->topics) {
        const std::size_t replicas =
            topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size();
        if (arguments.names_only) {
            std::cout << topic.name << '\n';
            continue;
        }
        all.push_back({{"topic", topic.name},
                       {"partitions", topic.partitions.size()},
                       {"replicas", replicas}});
        table.add({topic.name, std::to_string(topic.partitions.size()), std::to_string(replicas)});
    }
    if (!arguments.names_only) {
        if (context.json())
            print_json_list(context, all);
        else
            table.print(context);
    }
    return context.finish();
}

// --- describe ---

Json partition_json(const PartitionInfo& partition, const PartitionOffsets& offsets) {
    return {{"partition", partition.id},      {"leader", partition.leader},
            {"replicas", partition.replicas}, {"in_sync", partition.in_sync},
            {"start_offset", offsets.start},  {"end_offset", offsets.end}};
}

void print_topic(const Context& context, const TopicInfo& topic,
                 const std::vector<PartitionOffsets>& offsets) {
    std::cout << "topic " << topic.name << '\n';
    Table table({"PARTITION>", "LEADER>", "REPLICAS", "IN SYNC", "START>", "END>"});
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
        const PartitionInfo& partition = topic.partitions[i];
        table.add({std::to_string(partition.id), std::to_string(partition.leader),
                   fmt::format("{}", fmt::join(partition.replicas, ",")),
                   fmt::format("{}", fmt::join(partition.in_sync, ",")),
                   std::to_string(offsets[i].start), std::to_string(offsets[i].end)});
    }
    table.print(context);
}

ExitCode describe(const Context& context, const Arguments& arguments) {
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    Json all = Json::array();
    for (const std::string& name : arguments.topics) {
        const auto topic = (*admin)->topic(name);
        if (!topic) return context.fail(topic.error());
        const auto offsets = (*admin)->offsets(*topic);
        if (!offsets) return context.fail(offsets.error());
        if (!context.json()) {
            print_topic(context, *topic, *offsets);
            continue;
        }
        Json partitions = Json::array();
        for (std::size_t i = 0; i < topic->partitions.size(); ++i)
            partitions.push_back(partition_json(topic->partitions[i], (*offsets)[i]));
        all.push_back({{"topic", name}, {"partitions", std::move(partitions)}});
    }
    if (context.json()) print_json_list(context, all);
    return context.finish();
}

// --- create and delete ---

ExitCode create(const Context& context, const Arguments& arguments) {
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    Json all = Json::array();
    for (const std::string& name : arguments.topics) {
        NewTopic topic = arguments.made;
        topic.name = name;
        const Status created = (*admin)->create_topic(topic);
        const bool there = !created && created.error().code == Errc::kAlreadyExists;
        if (!created && !(there && arguments.if_not_exists)) return context.fail(created.error());
        all.push_back({{"topic", name}, {"created", !there}});
        if (!context.json()) std::cout << (there ? "exists " : "created ") << name << '\n';
    }
    if (context.json()) print_json_list(context, all);
    return context.finish();
}

ExitCode remove(const Context& context, const Arguments& arguments) {
    const std::string question =
        fmt::format("Delete {} with everything in {}?", fmt::join(arguments.topics, ", "),
                    arguments.topics.size() == 1 ? "it" : "them");
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    if (!context.confirmed(question)) return ExitCode::kUsage;
    Json all = Json::array();
    for (const std::string& name : arguments.topics) {
        const Status deleted = (*admin)->delete_topic(name);
        const bool absent = !deleted && deleted.error().code == Errc::kNotFound;
        if (!deleted && !(absent && arguments.if_exists)) return context.fail(deleted.error());
        all.push_back({{"topic", name}, {"deleted", !absent}});
        if (!context.json()) std::cout << (absent ? "absent " : "deleted ") << name << '\n';
    }
    if (context.json()) print_json_list(context, all);
    return context.finish();
}

// --- config ---

ExitCode config(const Context& context, const Arguments& arguments) {
    const auto admin = open(context);
    if (!admin) return context.fail(admin.error());
    Json all = Json::array();
    Table table({"NAME", "VALUE", "SOURCE"});
    for (const std::string& name : arguments.topics) {
        const auto entries = (*admin)->topic_config(name);
        if (!entries) return context.fail(entries.error());
        for (const ConfigEntry& entry : *entries) {
            Json json = {{"topic", name},
                         {"name", entry.name},
                         {"value", nullptr},
                         {"source", entry.source},
                         {"default", entry.is_default},
                         {"read_only", entry.read_only}};
            if (entry.value) json["value"] = *entry.value;
            all.push_back(std::move(json));
            table.add({entry.name, entry.value.value_or("(hidden)"), entry.source});
        }
    }
    if (context.json())
        print_json_list(context, all);
    else
        table.print(context);
    return context.finish();
}

// --- the command line ---

using Verb = ExitCode (*)(const Context&, const Arguments&);

CLI::App* add(CLI::App* topics, const char* name, const char* help, const char* examples) {
    CLI::App* verb = topics->add_subcommand(name, help);
    verb->footer(std::string("\nExamples:\n") + examples);
    return verb;
}

void on_chosen(CLI::App* verb, Context& context, std::shared_ptr<Arguments> arguments, Verb run) {
    verb->callback([&context, arguments = std::move(arguments), run] {
        context.work = [&context, arguments, run] { return run(context, *arguments); };
    });
}

Result<std::pair<std::string, std::string>> parse_setting(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return Error{Errc::kInvalidArgument, "--config " + text + ": write name=value"};
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

void add_create(CLI::App* topics, Context& context, const std::shared_ptr<Arguments>& arguments) {
    CLI::App* verb = add(topics, "create", "Make topics",
                         "  walrus-cli topics create orders\n"
                         "  walrus-cli topics create clicks -p 4 -c retention.ms=3600000\n"
                         "  walrus-cli topics create orders --if-not-exists");
    verb->add_option("topic", arguments->topics, "Names")->required();
    verb->add_option("-p,--partitions", arguments->made.partitions,
                     "Partitions (default: as the server has it)")
        ->check(CLI::Range(1, 100'000));
    verb->add_option("-r,--replicas", arguments->made.replication_factor,
                     "Replicas (default: as the server has it)")
        ->check(CLI::Range(1, 100));
    verb->add_option("-c,--config", arguments->config, "A setting of the topic: name=value")
        ->allow_extra_args(false);
    verb->add_flag("--if-not-exists", arguments->if_not_exists, "Fine when it exists");
    verb->callback([&context, arguments] {
        context.work = [&context, arguments] {
            for (const std::string& text : arguments->config) {
                auto setting = parse_setting(text);
                if (!setting) return context.fail(setting.error());
                arguments->made.config.push_back(std::move(*setting));
            }
            return create(context, *arguments);
        };
    });
}

}  // namespace

void add_topics(CLI::App& app, Context& context) {
    CLI::App* topics = app.add_subcommand("topics", "List, make, describe and delete topics");
    topics->require_subcommand(1);
    topics->footer(
        "\nExamples:\n  walrus-cli topics list\n  walrus-cli topics create orders -p 4\n"
        "  walrus-cli topics VERB --help");
    const auto arguments = std::make_shared<Arguments>();

    CLI::App* verb = add(topics, "list", "All topics",
                         "  walrus-cli topics list\n  walrus-cli -o jsonl topics list");
    verb->add_flag("--names", arguments->names_only, "Names only, one a line");
    on_chosen(verb, context, arguments, list);

    verb = add(topics, "describe", "Partitions, leaders and offsets of topics",
               "  walrus-cli topics describe orders\n  walrus-cli -o json topics describe orders");
    verb->add_option("topic", arguments->topics, "Names")->required();
    on_chosen(verb, context, arguments, describe);

    add_create(topics, context, arguments);

    verb = add(topics, "delete", "Delete topics with everything in them",
               "  walrus-cli topics delete orders\n  walrus-cli topics delete orders clicks --yes");
    verb->add_option("topic", arguments->topics, "Names")->required();
    verb->add_flag("--if-exists", arguments->if_exists, "Fine when it does not exist");
    on_chosen(verb, context, arguments, remove);

    verb = add(topics, "config", "Settings of topics, and where each comes from",
               "  walrus-cli topics config orders\n  walrus-cli -o json topics config orders");
    verb->add_option("topic", arguments->topics, "Names")->required();
    on_chosen(verb, context, arguments, config);
}

}  // namespace walrus::client
