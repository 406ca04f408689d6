#include "harness/runner/job.h"

#include <fmt/format.h>

#include "harness/report/result_json.h"
#include "harness/scenario/scenario_json.h"

namespace walrus::harness {

using nlohmann::json;

void to_json(json& document, const WriterJournal& journal) {
    json exceptions = json::array();
    for (const Exception& e : journal.exceptions) {
        exceptions.push_back({e.begin, e.end, static_cast<int>(e.outcome)});
    }
    document = {{"sent", journal.sent}, {"exceptions", exceptions}};
}

void from_json(const json& document, WriterJournal& journal) {
    document.at("sent").get_to(journal.sent);
    for (const json& e : document.at("exceptions")) {
        journal.exceptions.push_back({.begin = e.at(0),
                                      .end = e.at(1),
                                      .outcome = static_cast<Outcome>(e.at(2).get<int>())});
    }
}

void to_json(json& document, const ProofOrder& order) {
    document = {{"text", order.text}, {"path", order.path},       {"overrides", order.overrides},
                {"seed", order.seed}, {"history", order.history}, {"logs", order.logs}};
}

void from_json(const json& document, ProofOrder& order) {
    document.at("text").get_to(order.text);
    document.at("path").get_to(order.path);
    document.at("overrides").get_to(order.overrides);
    document.at("seed").get_to(order.seed);
    document.at("history").get_to(order.history);
    document.at("logs").get_to(order.logs);
}

void to_json(json& document, const Job& job) {
    document = {{"kind", static_cast<int>(job.kind)},
                {"directory", job.directory},
                {"system", job.system},
                {"attachment", job.attachment},
                {"row", job.row},
                {"seed", job.seed},
                {"run_id", job.run_id},
                {"journal", job.journal},
                {"plain_reads_first", job.plain_reads_first},
                {"duration_ns", job.duration_ns},
                {"proof", job.proof}};
}

void from_json(const json& document, Job& job) {
    job.kind = static_cast<JobKind>(document.at("kind").get<int>());
    document.at("directory").get_to(job.directory);
    document.at("system").get_to(job.system);
    document.at("attachment").get_to(job.attachment);
    document.at("row").get_to(job.row);
    document.at("seed").get_to(job.seed);
    document.at("run_id").get_to(job.run_id);
    document.at("journal").get_to(job.journal);
    document.at("plain_reads_first").get_to(job.plain_reads_first);
    document.at("duration_ns").get_to(job.duration_ns);
    document.at("proof").get_to(job.proof);
}

void to_json(json& document, const Answer& answer) {
    document = {
        {"error", answer.error},          {"write", answer.write},         {"read", answer.read},
        {"journal", answer.journal},      {"read_back", answer.read_back}, {"floor", answer.floor},
        {"attachment", answer.attachment}};
}

void from_json(const json& document, Answer& answer) {
    document.at("error").get_to(answer.error);
    document.at("write").get_to(answer.write);
    document.at("read").get_to(answer.read);
    document.at("journal").get_to(answer.journal);
    document.at("read_back").get_to(answer.read_back);
    document.at("floor").get_to(answer.floor);
    document.at("attachment").get_to(answer.attachment);
}

}  // namespace walrus::harness
