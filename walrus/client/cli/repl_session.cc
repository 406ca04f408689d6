#include "walrus/client/cli/repl_session.h"

#include <array>

namespace walrus::client {
namespace {

constexpr std::array<std::string_view, 7> kWords = {"REGISTER", "PUT",  "GET", "STATE",
                                                    "METRICS",  "exit", "quit"};
constexpr std::string_view kSpace = " \t\r\n";

// Of the text protocol, and topics follow them.
bool takes_topic(std::string_view word) {
    return word == "REGISTER" || word == "PUT" || word == "GET" || word == "STATE";
}

std::string_view without_line_end(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

std::string_view trimmed_front(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kSpace);
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

std::string_view trimmed(std::string_view text) {
    text = trimmed_front(text);
    return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

std::string_view first_word(std::string_view text) {
    return text.substr(0, text.find(' '));
}

}  // namespace

Status ReplSession::open() {
    auto client = connect_();
    if (!client) return std::move(client).error();
    client_.emplace(std::move(*client));
    return {};
}

ReplSession::Answer ReplSession::line(std::string_view text) {
    text = trimmed_front(without_line_end(text));
    if (first_word(text) != "PUT") text = trimmed(text);
    if (text.empty()) return {};
    if (text == "exit" || text == "quit" || text == "q") return {.next = Next::kQuit};

    if (!client_) {
        if (Status opened = open(); !opened) return {.status = std::move(opened)};
    }
    auto reply = client_->send_raw(text);
    if (!reply) {
        // A command that is too long was not sent; everything else ends the connection.
        if (reply.error().code != Errc::kTooLarge) client_.reset();
        return {.status = std::move(reply).error()};
    }
    const auto kind = protocol::parse_text_reply(as_bytes(*reply)).kind;
    const bool refused = kind == protocol::TextReplyKind::kError;
    if (!refused) remember_topic(text);
    return {.reply = std::move(*reply), .refused = refused};
}

void ReplSession::remember_topic(std::string_view line) {
    const std::string_view word = first_word(line);
    if (!takes_topic(word) || word.size() == line.size()) return;
    const std::string_view topic = first_word(line.substr(word.size() + 1));
    if (!topic.empty()) topics_.emplace(topic);
}

std::vector<std::string> ReplSession::completions(std::string_view before) const {
    before = trimmed_front(before);
    const std::size_t space = before.find(' ');
    std::vector<std::string> found;
    if (space == std::string_view::npos) {
        for (const std::string_view word : kWords)
            if (word.starts_with(before)) found.emplace_back(word);
        return found;
    }
    const std::string_view start = before.substr(space + 1);
    const bool second_word = start.find(' ') == std::string_view::npos;
    if (!takes_topic(before.substr(0, space)) || !second_word) return found;
    for (const std::string& topic : topics_)
        if (topic.starts_with(start)) found.push_back(topic);
    return found;
}

}  // namespace walrus::client
