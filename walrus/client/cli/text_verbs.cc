#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "walrus/client/cli/base64.h"
#include "walrus/client/cli/print.h"
#include "walrus/client/cli/verbs.h"
#include "walrus/protocol/utf8.h"

namespace walrus::client {
namespace {

using protocol::TextCommand;
using protocol::TextReplyKind;

struct Arguments {
    std::string topic;
    std::string payload;
};

using Print = ExitCode (*)(const Context&, const Arguments&, const TextClient::Reply&);

ExitCode run(const Context& context, TextCommand command, const Arguments& arguments, Print print) {
    auto client = context.connect_text();
    if (!client) return context.fail(client.error());
    const auto reply =
        client->send({.command = command, .topic = arguments.topic, .payload = arguments.payload});
    if (!reply) return context.fail(reply.error());
    if (reply->kind == TextReplyKind::kError) return context.fail(text_reply_error(reply->text));
    return context.finish(print(context, arguments, *reply));
}

ExitCode print_registered(const Context& context, const Arguments& arguments,
                          const TextClient::Reply&) {
    if (context.json()) print_json(context, {{"topic", arguments.topic}, {"registered", true}});
    return ExitCode::kOk;
}

ExitCode print_put(const Context& context, const Arguments& arguments, const TextClient::Reply&) {
    if (context.json())
        print_json(context, {{"topic", arguments.topic}, {"bytes", arguments.payload.size()}});
    return ExitCode::kOk;
}

ExitCode print_got(const Context& context, const Arguments& arguments,
                   const TextClient::Reply& reply) {
    const bool empty = reply.kind == TextReplyKind::kEmpty;
    if (!context.json()) {
        std::cout << (empty ? "EMPTY" : reply.text) << '\n';
        return ExitCode::kOk;
    }
    Json json = {{"topic", arguments.topic}, {"empty", empty}};
    if (empty)
        json["value"] = nullptr;
    else if (protocol::is_utf8(reply.text))
        json["value"] = reply.text;
    else
        json["value_base64"] = base64_encode(reply.text);
    print_json(context, json);
    return ExitCode::kOk;
}

ExitCode print_document(const Context& context, const Arguments&, const TextClient::Reply& reply) {
    if (!context.json()) {
        std::cout << reply.text << '\n';
        return ExitCode::kOk;
    }
    const Json document = Json::parse(reply.text, nullptr, false);
    if (document.is_discarded())
        return context.fail({Errc::kCorruption, "the server's reply is no JSON: " + reply.text});
    print_json(context, document);
    return ExitCode::kOk;
}

CLI::App* add(CLI::App& app, const char* name, const char* help) {
    CLI::App* verb = app.add_subcommand(name, help);
    verb->group("Text protocol");
    return verb;
}

void on_chosen(CLI::App* verb, Context& context, std::shared_ptr<Arguments> arguments,
               TextCommand command, Print print) {
    verb->callback([&context, arguments = std::move(arguments), command, print] {
        context.work = [&context, arguments, command, print] {
            return run(context, command, *arguments, print);
        };
    });
}

}  // namespace

void add_text_verbs(CLI::App& app, Context& context) {
    const auto arguments = std::make_shared<Arguments>();
    const auto topic = [&](CLI::App* verb) {
        verb->add_option("topic", arguments->topic, "Topic")->required();
    };
    CLI::App* registering = add(app, "register", "Make a topic; fine when it exists");
    registering->footer("\nExamples:\n  walrus-cli register orders");
    topic(registering);
    on_chosen(registering, context, arguments, TextCommand::kRegister, print_registered);

    CLI::App* put = add(app, "put", "Append a record to a topic");
    put->footer(
        "\nExamples:\n  walrus-cli put orders 'one apple'\n"
        "  walrus-cli put orders -- '--begins with dashes'\n\n"
        "A record has less than 64 KiB here; longer ones, keys and headers: produce.");
    topic(put);
    put->add_option("payload", arguments->payload, "The record, kept byte for byte")->required();
    on_chosen(put, context, arguments, TextCommand::kPut, print_put);

    CLI::App* get = add(app, "get", "Take the topic's next record from its shared cursor");
    get->footer(
        "\nExamples:\n  walrus-cli get orders\n  walrus-cli -o json get orders\n\n"
        "Prints the record, or EMPTY when all were read.  The cursor moves on for every\n"
        "reader of the topic; `consume` reads without moving it.");
    topic(get);
    on_chosen(get, context, arguments, TextCommand::kGet, print_got);

    CLI::App* state = add(app, "state", "Segments of a topic and who leads them");
    state->footer("\nExamples:\n  walrus-cli state orders\n  walrus-cli -o json state orders");
    topic(state);
    on_chosen(state, context, arguments, TextCommand::kState, print_document);

    CLI::App* metrics = add(app, "metrics", "The node's view of the cluster");
    metrics->footer("\nExamples:\n  walrus-cli metrics\n  walrus-cli -o jsonl metrics");
    on_chosen(metrics, context, arguments, TextCommand::kMetrics, print_document);
}

}  // namespace walrus::client
