// What a node knows of its cluster, from its admin port.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>
#include <utility>

#include "walrus/client/cli/admin_http.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/verbs.h"

namespace walrus::client {
namespace {

Result<Json> ask_admin(const Context& context, const std::string& path) {
    const auto address = parse_address(context.admin_address, kDefaultAdminPort);
    if (!address) return address.error();
    const auto answer = http_get(*address, path, context.timeout_ms);
    if (!answer) return answer.error();
    Json json = Json::parse(answer->body, nullptr, false);
    if (answer->status == 404)
        return Error{Errc::kNotFound,
                     json.is_object() && json.contains("error")
                         ? json["error"].get<std::string>()
                         : "the server at " + context.admin_address + " knows no clusters"};
    if (answer->status != 200 || !json.is_object())
        return Error{Errc::kIo, fmt::format("{}: unexpected answer {} to {}", context.admin_address,
                                            answer->status, path)};
    return json;
}

// A field as text; "-" when it is not there or null.
std::string text_of(const Json& json, const char* field) {
    const auto found = json.find(field);
    if (found == json.end() || found->is_null()) return "-";
    if (found->is_string()) return found->get<std::string>();
    if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
    if (!found->is_array()) return found->dump();
    std::string all;
    for (const Json& element : *found) all += (all.empty() ? "" : ",") + element.dump();
    return all.empty() ? "-" : all;
}

ExitCode print_list(const Context& context, const Json& list,
                    const std::vector<std::pair<std::string, const char*>>& columns) {
    if (context.json()) {
        print_json_list(context, list);
        return context.finish();
    }
    std::vector<std::string> heads;
    for (const auto& [head, field] : columns) heads.push_back(head);
    Table table(std::move(heads));
    for (const Json& element : list) {
        std::vector<std::string> row;
        for (const auto& [head, field] : columns) row.push_back(text_of(element, field));
        table.add(std::move(row));
    }
    table.print(context);
    return context.finish();
}

ExitCode status(const Context& context) {
    const auto cluster = ask_admin(context, "/v1/cluster");
    if (!cluster) return context.fail(cluster.error());
    if (context.json()) {
        print_json(context, *cluster);
        return context.finish();
    }
    const Json& json = *cluster;
    const Json log = json.value("metadata", Json::object());
    std::cout << fmt::format("cluster {}, seen by node {}\n", text_of(json, "cluster_id"),
                             text_of(json, "self"))
              << fmt::format("controller          {}\n", text_of(json, "controller"))
              << fmt::format("nodes               {} live of {}\n", text_of(json, "live_nodes"),
                             text_of(json, "nodes"))
              << fmt::format(
                     "metadata            term {}, commit {}, applied {}, voters {}, "
                     "learners {}\n",
                     text_of(log, "term"), text_of(log, "commit_index"),
                     text_of(log, "applied_index"), text_of(log, "voters"),
                     text_of(log, "learners"))
              << fmt::format("topics              {}, without leader {}\n", text_of(json, "topics"),
                             text_of(json, "segments_without_leader"))
              << fmt::format("segments            {}, under-replicated {}\n",
                             text_of(json, "segments"), text_of(json, "under_replicated_segments"));
    return context.finish();
}

ExitCode nodes(const Context& context) {
    auto answer = ask_admin(context, "/v1/nodes");
    if (!answer) return context.fail(answer.error());
    Json list = (*answer)["nodes"];
    for (Json& node : list)
        node["connected"] = node["link"].is_object() ? node["link"]["connected"] : Json();
    return print_list(context, list,
                      {{"NODE>", "node_id"},
                       {"STATE", "state"},
                       {"CONTROLLER", "is_controller"},
                       {"CONNECTED", "connected"},
                       {"COPIES>", "copies"},
                       {"PEERS", "peer_address"},
                       {"TEXT", "text_address"},
                       {"KAFKA", "kafka_address"}});
}

ExitCode segments(const Context& context) {
    auto answer = ask_admin(context, "/v1/segments");
    if (!answer) return context.fail(answer.error());
    return print_list(context, (*answer)["segments"],
                      {{"TOPIC", "topic"},
                       {"SEGMENT>", "segment"},
                       {"STATE", "state"},
                       {"EPOCH>", "epoch"},
                       {"LEADER>", "leader"},
                       {"REPLICAS", "replicas"},
                       {"BASE>", "base_offset"},
                       {"RECORDS>", "records"},
                       {"LOST>", "lost_records"}});
}

// The last segment of each topic is the one that is open, or will be followed.
ExitCode topics(const Context& context) {
    auto answer = ask_admin(context, "/v1/segments");
    if (!answer) return context.fail(answer.error());
    std::map<std::string, Json> by_name;
    std::map<std::string, std::uint64_t> counts;
    for (const Json& segment : (*answer)["segments"]) {
        const std::string name = segment["topic"];
        by_name[name] = segment;
        ++counts[name];
    }
    Json list = Json::array();
    for (const auto& [name, last] : by_name)
        list.push_back({{"topic", name},
                        {"segments", counts[name]},
                        {"current_segment", last["segment"]},
                        {"state", last["state"]},
                        {"leader", last["leader"]},
                        {"replicas", last["replicas"]},
                        {"ack_quorum", last["ack_quorum"]}});
    return print_list(context, list,
                      {{"TOPIC", "topic"},
                       {"SEGMENTS>", "segments"},
                       {"CURRENT>", "current_segment"},
                       {"STATE", "state"},
                       {"LEADER>", "leader"},
                       {"REPLICAS", "replicas"},
                       {"ACKS>", "ack_quorum"}});
}

}  // namespace

void add_cluster(CLI::App& app, Context& context) {
    CLI::App* noun = app.add_subcommand("cluster", "The cluster as one of its nodes sees it");
    noun->require_subcommand(1);
    noun->footer(
        "\nExamples:\n  walrus-cli cluster status\n"
        "  walrus-cli --admin 10.0.0.2:9090 -o json cluster nodes\n\n"
        "Exit codes: 0 ok, 3 the node runs alone, 4 no answer.");
    const auto add = [&](const char* name, const char* help, ExitCode (*work)(const Context&)) {
        noun->add_subcommand(name, help)->callback([&context, work] {
            context.work = [&context, work] { return work(context); };
        });
    };
    add("status", "Controller, nodes, metadata log, and what is missing", status);
    add("nodes", "Its nodes: state, addresses, copies", nodes);
    add("topics", "Its topics: who leads them, where their copies are", topics);
    add("segments", "All segments", segments);
}

}  // namespace walrus::client
