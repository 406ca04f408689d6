// Looks at a server from a client's side: what is reachable, how fast, and what does not fit.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "walrus/base/clock.h"
#include "walrus/base/version.h"
#include "walrus/client/cli/admin_http.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/round_trip.h"
#include "walrus/client/cli/server_time.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/client/kafka_admin.h"
#include "walrus/client/tcp_stream.h"

namespace walrus::client {
namespace {

constexpr std::int64_t kClockToleranceMs = 1000;

enum class Verdict { kOk, kWarning, kFailure, kUnreachable };

struct Finding {
    std::string check;
    Verdict verdict = Verdict::kOk;
    std::string detail;
    Json data = Json::object();
};

const char* verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::kOk: return "ok";
        case Verdict::kWarning: return "warning";
        case Verdict::kFailure: return "failure";
        case Verdict::kUnreachable: return "unreachable";
    }
    return "";
}

class Examination {
public:
    Examination(const Context& context, bool round_trip)
        : context_(context), round_trip_(round_trip) {}

    std::vector<Finding> run() {
        add("client", Verdict::kOk,
            fmt::format("walrus-cli {} ({}), librdkafka {}", kVersion, build_commit(),
                        librdkafka_version()),
            {{"version", kVersion},
             {"commit", build_commit()},
             {"librdkafka", librdkafka_version()}});
        check_text();
        check_kafka();
        check_admin();
        return std::move(findings_);
    }

private:
    void add(std::string check, Verdict verdict, std::string detail, Json data = Json::object()) {
        findings_.push_back({std::move(check), verdict, std::move(detail), std::move(data)});
    }

    void add_error(std::string check, const Error& error) {
        const bool away = error.code == Errc::kClosed || error.code == Errc::kTimeout;
        add(std::move(check), away ? Verdict::kUnreachable : Verdict::kFailure, error.message);
    }

    double ms_since(std::uint64_t begin_ns) const {
        return static_cast<double>(system_clock().monotonic_ns() - begin_ns) / 1e6;
    }

    void check_text() {
        const auto address = parse_address(context_.text_address, kDefaultTextPort);
        if (!address) return add_error("text", address.error());
        const std::uint64_t begin = system_clock().monotonic_ns();
        auto client = TextClient::connect(*address, {.timeout_ms = context_.timeout_ms});
        if (!client) return add_error("text", client.error());
        const auto reply = client->send({.command = protocol::TextCommand::kMetrics});
        if (!reply) return add_error("text", reply.error());
        const double took = ms_since(begin);
        const Json document = Json::parse(reply->text, nullptr, false);
        if (reply->kind != protocol::TextReplyKind::kDocument || !document.is_object())
            return add("text", Verdict::kFailure,
                       address->to_string() + " does not answer METRICS with JSON: is it walrusd?");
        const std::string state = document.value("state", "?");
        add("text", Verdict::kOk,
            fmt::format("{}: node {}, {}; connect and METRICS {:.1f} ms", address->to_string(),
                        document.contains("id") ? document["id"].dump() : "?", state, took),
            {{"address", address->to_string()}, {"ms", took}, {"metrics", document}});
    }

    void check_kafka() {
        auto options = context_.kafka_options();
        if (!options) return add_error("kafka", options.error());
        const std::uint64_t begin = system_clock().monotonic_ns();
        const auto admin = KafkaAdmin::open(*options);
        if (!admin) return add_error("kafka", admin.error());
        const auto cluster = (*admin)->cluster();
        if (!cluster) return add_error("kafka", cluster.error());
        const double took = ms_since(begin);
        add("kafka", Verdict::kOk,
            fmt::format("{}: cluster {}, brokers {}, topics {}; metadata {:.1f} ms",
                        context_.kafka_address,
                        cluster->cluster_id.empty() ? "(no id)" : cluster->cluster_id,
                        cluster->brokers.size(), cluster->topics.size(), took),
            {{"address", context_.kafka_address},
             {"ms", took},
             {"cluster_id", cluster->cluster_id},
             {"controller", cluster->controller},
             {"brokers", cluster->brokers.size()},
             {"topics", cluster->topics.size()}});
        for (const BrokerInfo& broker : cluster->brokers) check_advertised(broker);
        check_leaders(*cluster);
        if (round_trip_) check_round_trip(**admin, *options);
    }

    // What a broker calls itself is where every client goes next: the usual trap.
    void check_advertised(const BrokerInfo& broker) {
        const Address address{.host = broker.host, .port = static_cast<std::uint16_t>(broker.port)};
        const std::string name = fmt::format("broker {}", broker.id);
        const auto stream = TcpStream::connect(address, context_.timeout_ms);
        if (stream)
            return add(name, Verdict::kOk, "advertises " + address.to_string(),
                       {{"address", address.to_string()}});
        add(name, Verdict::kFailure,
            stream.error().message +
                ": the server advertises an address that this machine cannot reach");
    }

    void check_leaders(const ClusterInfo& cluster) {
        std::size_t leaderless = 0;
        for (const TopicInfo& topic : cluster.topics)
            for (const PartitionInfo& partition : topic.partitions)
                leaderless += partition.leader < 0 ? 1 : 0;
        if (leaderless > 0)
            add("leaders", Verdict::kWarning,
                fmt::format("{} partitions have no leader at the moment", leaderless),
                {{"leaderless", leaderless}});
    }

    void check_round_trip(KafkaAdmin& admin, const KafkaOptions& options) {
        const auto trip = round_trip(admin, options);
        if (!trip) return add_error("round trip", trip.error());
        add("round trip", Verdict::kOk,
            fmt::format("a record was stored in {:.1f} ms and read back in {:.1f} ms; the topic {} "
                        "is deleted again",
                        trip->produce_ms, trip->consume_ms, trip->topic),
            {{"topic", trip->topic},
             {"produce_ms", trip->produce_ms},
             {"consume_ms", trip->consume_ms}});
    }

    void check_admin() {
        const auto address = parse_address(context_.admin_address, kDefaultAdminPort);
        if (!address) return add_error("admin", address.error());
        const std::int64_t before_ms = static_cast<std::int64_t>(system_clock().wall_ms());
        const auto ready = http_get(*address, "/readyz", context_.timeout_ms);
        const std::int64_t after_ms = static_cast<std::int64_t>(system_clock().wall_ms());
        if (!ready) return add_error("admin", ready.error());
        const bool is_ready = ready->status == 200;
        add("admin", is_ready ? Verdict::kOk : Verdict::kFailure,
            fmt::format("{}: {}", address->to_string(), is_ready ? "ready" : ready->body),
            {{"address", address->to_string()}, {"status", ready->status}});
        check_version(*address);
        check_clock(ready->date, before_ms, after_ms);
    }

    void check_version(const Address& address) {
        const auto answer = http_get(address, "/v1/version", context_.timeout_ms);
        const Json document =
            answer ? Json::parse(answer->body, nullptr, false) : Json(Json::value_t::discarded);
        if (!document.is_object() || !document.contains("version"))
            return add("versions", Verdict::kWarning, "the server does not tell its version");
        const std::string server = document["version"].is_string()
                                       ? document["version"].get<std::string>()
                                       : document["version"].dump();
        const bool same = server == kVersion;
        add("versions", same ? Verdict::kOk : Verdict::kWarning,
            same ? "server and client are " + server
                 : fmt::format("the server is {}, this client {}", server, kVersion),
            {{"server", server}, {"client", kVersion}});
    }

    void check_clock(const std::string& date, std::int64_t before_ms, std::int64_t after_ms) {
        const auto server_ms = parse_http_date_ms(date);
        if (!server_ms) return add("clock", Verdict::kWarning, "the server does not tell its time");
        // It counts whole seconds: the true time lies in [server, server + 1 s).
        const std::int64_t ahead = clock_difference_ms(*server_ms, before_ms, after_ms);
        const bool close = std::abs(ahead) <= kClockToleranceMs;
        add("clock", close ? Verdict::kOk : Verdict::kWarning,
            close ? "server and client agree to a second"
                  : fmt::format("the server's clock is {} ms {}: times of records will surprise",
                                std::abs(ahead), ahead > 0 ? "ahead" : "behind"),
            {{"server_ahead_ms", ahead}});
    }

    const Context& context_;
    const bool round_trip_;
    std::vector<Finding> findings_;
};

void print_text(const Context& context, const std::vector<Finding>& findings) {
    const auto painted = [&](Verdict verdict) -> std::string {
        const std::string name = fmt::format("{:<12}", verdict_name(verdict));
        if (!context.colours) return name;
        const char* colour = verdict == Verdict::kOk        ? "\x1b[32m"
                             : verdict == Verdict::kWarning ? "\x1b[33m"
                                                            : "\x1b[31m";
        return colour + name + "\x1b[0m";
    };
    for (const Finding& finding : findings)
        std::cout << painted(finding.verdict) << fmt::format("{:<12}", finding.check)
                  << finding.detail << '\n';
}

ExitCode doctor(const Context& context, bool round_trip) {
    const std::vector<Finding> findings = Examination(context, round_trip).run();
    ExitCode code = ExitCode::kOk;
    Json all = Json::array();
    for (const Finding& finding : findings) {
        if (finding.verdict == Verdict::kFailure && code == ExitCode::kOk)
            code = ExitCode::kFailure;
        if (finding.verdict == Verdict::kUnreachable) code = ExitCode::kUnavailable;
        Json json = {{"check", finding.check},
                     {"verdict", verdict_name(finding.verdict)},
                     {"detail", finding.detail}};
        json.update(finding.data);
        all.push_back(std::move(json));
    }
    if (context.json())
        print_json_list(context, all);
    else
        print_text(context, findings);
    return context.finish(code);
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
    CLI::App* verb = app.add_subcommand("doctor", "What does the server look like from here?");
    verb->footer(
        "\nExamples:\n  walrus-cli doctor\n  walrus-cli doctor --round-trip\n"
        "  walrus-cli --kafka 10.0.0.5:9092 -o json doctor\n\n"
        "Exit codes: 0 all is well (perhaps with warnings), 1 something is wrong, 4 a port\n"
        "does not answer.");
    const auto with_round_trip = std::make_shared<bool>(false);
    verb->add_flag("--round-trip", *with_round_trip,
                   "Also make a topic, write and read a record, and delete the topic");
    verb->callback([&context, with_round_trip] {
        context.work = [&context, with_round_trip] { return doctor(context, *with_round_trip); };
    });
}

}  // namespace walrus::client
