#include "walrus/wal_tool/wal_verbs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "walrus/wal/verify.h"

namespace walrus::wal_tool {
namespace {

using namespace wal;  // This room is the engine's face.
using Json = nlohmann::ordered_json;

enum class Payload { kNone, kText, kHex };

struct DumpArguments {
    DumpRange range;
    std::uint64_t from_lsn = 0;
    std::string topic;
    std::uint64_t limit = 0;  // 0: all.
    Payload payload = Payload::kNone;
    std::size_t payload_bytes = 64;
};

// --- trouble ---

const char* advice(Errc code) {
    switch (code) {
        case Errc::kNotFound:
            return "name the directory of an existing log (--data-dir), and its --key if it has "
                   "one";
        case Errc::kBusy: return "stop the process that has the log open, then try again";
        case Errc::kCorruption: return "`verify` lists the damage, `repair` cuts it off";
        case Errc::kUnsupported: return "use the build of walrus that wrote this log";
        case Errc::kIo: return "look into the system log for disk errors; nothing was concluded";
        case Errc::kNoSpace: return "free some disk space, then try again";
        case Errc::kInvalidArgument:
        case Errc::kAlreadyExists:
        case Errc::kOutOfRange:
        case Errc::kTooLarge:
        case Errc::kResourceExhausted:
        case Errc::kPoisoned:
        case Errc::kClosed:
        case Errc::kTimeout:
        case Errc::kFenced:
        case Errc::kNotLeader: break;
    }
    return "see --help";
}

int fail(const Choices& choices, const Error& error) {
    std::cerr << choices.program << ": " << error.to_string() << "\n  " << advice(error.code)
              << '\n';
    if (error.code == Errc::kNotFound) return kNotFound;
    return error.code == Errc::kInvalidArgument ? kUsage : kFailure;
}

// What was printed must have arrived, or a script takes half a report for a whole one.
int finish_output(const Choices& choices, int code) {
    std::cout.flush();
    if (std::cout.good()) return code;
    std::cerr << choices.program << ": could not write to standard output\n";
    return kFailure;
}

void print_json(const Json& json, int indent) {
    // Topic names are bytes; what is not UTF-8 is shown with a replacement character.
    std::cout << json.dump(indent, ' ', false, Json::error_handler_t::replace) << '\n';
}

// --- reports ---

Json to_json(const Damage& damage) {
    return {{"shard", damage.shard},
            {"file", damage.file},
            {"position", damage.position},
            {"lsn", damage.lsn.value},
            {"acknowledged", damage.acknowledged},
            {"what", damage.what}};
}

Json to_json(const Cut& cut) {
    Json topics = Json::array();
    for (const CutTopic& topic : cut.topics)
        topics.push_back({{"topic", topic.topic},
                          {"end_offset", topic.end.value},
                          {"lost_end_offset", topic.lost_end.value}});
    return {{"shard", cut.shard},
            {"file", cut.file},
            {"position", cut.position},
            {"lsn", cut.lsn.value},
            {"files_removed", cut.files_removed},
            {"topics", topics}};
}

Json summary_json(const VerifyReport& report, bool repaired) {
    return {{"directory", report.directory},
            {"ok", report.ok() || repaired},
            {"repaired", repaired && !report.ok()},
            {"shards", report.shards},
            {"files", report.files},
            {"bytes", report.bytes},
            {"frames", report.frames},
            {"records", report.records},
            {"topics", report.topics}};
}

void print_report_json(const VerifyReport& report, bool repaired, Output output) {
    Json whole = summary_json(report, repaired);
    if (output == Output::kJson) {
        whole["damage"] = Json::array();
        whole["cuts"] = Json::array();
        for (const Damage& damage : report.damage) whole["damage"].push_back(to_json(damage));
        for (const Cut& cut : report.cuts) whole["cuts"].push_back(to_json(cut));
        return print_json(whole, 2);
    }
    const auto line = [](const char* kind, const Json& fields) {
        Json json = {{"kind", kind}};
        json.update(fields);
        print_json(json, -1);
    };
    for (const Damage& damage : report.damage) line("damage", to_json(damage));
    for (const Cut& cut : report.cuts) line("cut", to_json(cut));
    line("summary", whole);
}

void print_cuts(const VerifyReport& report, const char* verb) {
    for (const Cut& cut : report.cuts) {
        std::cout << fmt::format("{} shard {}: it ends {} {} (lsn {}); log files removed: {}\n",
                                 verb, cut.shard, cut.position == 0 ? "before" : "in", cut.file,
                                 cut.lsn.value, cut.files_removed);
        for (const CutTopic& topic : cut.topics)
            std::cout << fmt::format("  topic {}: offsets {} to {} are lost\n", topic.topic,
                                     topic.end.value, topic.lost_end.value - 1);
        if (cut.topics.empty())
            std::cout << "  which records are lost cannot be told from what is left\n";
    }
}

void print_report_text(const VerifyReport& report, bool repaired) {
    const char* state = report.ok() ? "ok" : repaired ? "repaired" : "DAMAGED";
    std::cout << fmt::format(
        "{}: {}\n  shards {}, log files {}, bytes {}, frames {}, records {}, topics {}\n",
        report.directory, state, report.shards, report.files, report.bytes, report.frames,
        report.records, report.topics);
    for (const Damage& damage : report.damage)
        std::cout << fmt::format("{}: {} at {} (lsn {}): {}\n",
                                 damage.acknowledged ? "damage" : "harmless", damage.file,
                                 damage.position, damage.lsn.value, damage.what);
    print_cuts(report, repaired ? "cut" : "repair would cut");
}

void print_report(const VerifyReport& report, bool repaired, Output output) {
    if (output == Output::kText) return print_report_text(report, repaired);
    print_report_json(report, repaired, output);
}

int run_verify(const Choices& choices) {
    const Result<VerifyReport> report = verify(choices.options);
    if (!report) return fail(choices, report.error());
    print_report(*report, false, choices.output);
    if (!report->ok())
        std::cerr << fmt::format(
            "{0}: acknowledged data is damaged; restore it from a replica or a backup, or give it "
            "up with `{0} repair`\n",
            choices.program);
    return finish_output(choices, report->ok() ? kOk : kFailure);
}

// True: the user agrees to what `verify` says would be cut.
bool confirmed(const Choices& choices, const VerifyReport& report) {
    if (isatty(STDIN_FILENO) == 0) {
        std::cerr << fmt::format(
            "{0}: repair gives up records for good; pass --yes to do it, or see `{0} verify` "
            "first\n",
            choices.program);
        return false;
    }
    print_cuts(report, "repair will cut");
    std::cout << "Give these records up for good? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

int run_repair(const Choices& choices) {
    if (!choices.yes) {
        const Result<VerifyReport> report = verify(choices.options);
        if (!report) return fail(choices, report.error());
        if (!report->ok() && !confirmed(choices, *report)) return kUsage;
    }
    const Result<VerifyReport> report = repair(choices.options);
    if (!report) return fail(choices, report.error());
    print_report(*report, true, choices.output);
    return finish_output(choices, kOk);
}

// --- dump ---

std::string escaped(Bytes bytes) {
    std::string text;
    for (const char c : as_text(bytes)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\\' || c == '"')
            text.append(1, '\\').append(1, c);
        else if (byte < 0x20 || byte >= 0x7F)
            text += fmt::format("\\x{:02x}", byte);
        else
            text.push_back(c);
    }
    return text;
}

std::string hex(Bytes bytes) {
    std::string text;
    for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
    return text;
}

std::string preview(Bytes bytes, const DumpArguments& arguments) {
    const Bytes shown = bytes.first(std::min(bytes.size(), arguments.payload_bytes));
    const std::string text = arguments.payload == Payload::kHex ? hex(shown) : escaped(shown);
    return shown.size() < bytes.size() ? text + "..." : text;
}

Json frame_json(const DumpedFrame& frame, const DumpArguments& arguments) {
    Json json = {{"shard", frame.shard},
                 {"file", frame.file},
                 {"position", frame.position},
                 {"lsn", frame.lsn.value},
                 {"size_bytes", frame.size_bytes},
                 {"type", frame.type},
                 {"short", frame.short_form},
                 {"opaque", frame.opaque},
                 {"from_ring", frame.from_ring},
                 {"topic", frame.topic},
                 {"epoch", frame.epoch},
                 {"first_offset", frame.first_offset.value},
                 {"record_count", frame.record_count},
                 {"body_bytes", frame.body_bytes},
                 {"durable_upto", frame.durable_upto.value}};
    if (arguments.payload == Payload::kNone) return json;
    if (!frame.body.empty()) json["body"] = preview(frame.body, arguments);
    for (const Bytes record : frame.records) json["records"].push_back(preview(record, arguments));
    return json;
}

std::string form_of(const DumpedFrame& frame) {
    return frame.short_form ? " (short)" : frame.opaque ? " (opaque)" : "";
}

void print_frame_text(const DumpedFrame& frame, const DumpArguments& arguments) {
    std::cout << fmt::format("{:3} {:>14} {:14} {:>12} {:>6} {:>9}  {}{}\n", frame.shard,
                             frame.lsn.value, frame.type + form_of(frame), frame.first_offset.value,
                             frame.record_count, frame.body_bytes, frame.topic,
                             frame.from_ring ? "  [ring]" : "");
    if (arguments.payload == Payload::kNone) return;
    if (!frame.body.empty())
        std::cout << "      body \"" << preview(frame.body, arguments) << "\"\n";
    for (std::size_t i = 0; i < frame.records.size(); ++i)
        std::cout << fmt::format("      {} \"{}\"\n", frame.first_offset.value + i,
                                 preview(frame.records[i], arguments));
}

int run_dump(const Choices& choices, const DumpArguments& arguments) {
    const Output output = choices.output;
    std::uint64_t shown = 0;
    if (output == Output::kText)
        std::cout << fmt::format("{:>3} {:>14} {:14} {:>12} {:>6} {:>9}  {}\n", "sh", "lsn", "type",
                                 "offset", "count", "bytes", "topic");
    if (output == Output::kJson) std::cout << "[";
    const Status status = dump(choices.options, arguments.range, [&](const DumpedFrame& frame) {
        if (!arguments.topic.empty() && frame.topic != arguments.topic) return true;
        if (output == Output::kText) {
            print_frame_text(frame, arguments);
        } else {
            if (output == Output::kJson) std::cout << (shown == 0 ? "\n" : ",\n");
            std::cout << frame_json(frame, arguments)
                             .dump(-1, ' ', false, Json::error_handler_t::replace);
            if (output == Output::kJsonLines) std::cout << '\n';
        }
        ++shown;
        return std::cout.good() && (arguments.limit == 0 || shown < arguments.limit);
    });
    if (output == Output::kJson) std::cout << "\n]\n";
    const int written = finish_output(choices, kOk);
    return status ? written : fail(choices, status.error());
}

// --- the command line ---

std::shared_ptr<DumpArguments> add_dump_options(CLI::App* dump) {
    auto arguments = std::make_shared<DumpArguments>();
    dump->add_option("--topic", arguments->topic, "Frames of this topic only");
    dump->add_option("--limit", arguments->limit, "Stop after this many frames (0: all)");
    dump->add_option("--shard", arguments->range.shard, "This shard only");
    dump->add_option("--from-lsn", arguments->from_lsn, "Frames at and behind this lsn");
    const std::map<std::string, Payload> payloads = {
        {"none", Payload::kNone}, {"text", Payload::kText}, {"hex", Payload::kHex}};
    dump->add_option("--payload", arguments->payload,
                     "Show what records hold: none (default), text (escaped) or hex")
        ->transform(CLI::CheckedTransformer(payloads));
    dump->add_option("--payload-bytes", arguments->payload_bytes,
                     "Show at most this much of a record (64)");
    return arguments;
}

}  // namespace

void add_wal_verbs(CLI::App& app,
                   const std::function<void(std::function<int(const Choices&)>)>& chosen) {
    app.add_subcommand("verify", "Check every frame and index; changes nothing")
        ->callback([chosen] { chosen(run_verify); });

    CLI::App* dump = app.add_subcommand("dump", "Print the frames of the log in order");
    const auto arguments = add_dump_options(dump);
    dump->callback([chosen, arguments] {
        arguments->range.from = Lsn{arguments->from_lsn};
        chosen([arguments](const Choices& choices) { return run_dump(choices, *arguments); });
    });

    app.add_subcommand("repair", "Cut the log at acknowledged damage, so that it opens again")
        ->callback([chosen] { chosen(run_repair); });
}

}  // namespace walrus::wal_tool
