#include "walrus/client/cli/print.h"

#include <algorithm>
#include <iostream>

namespace walrus::client {
namespace {

// Characters, as far as a terminal's columns go: continuation bytes of UTF-8 take no room.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t to, bool right, bool last) {
    const std::string space(to > width(text) ? to - width(text) : 0, ' ');
    if (right) return space + text;
    return last ? text : text + space;
}

}  // namespace

void print_json(const Context& context, const Json& json) {
    // Names are bytes; what is not UTF-8 is shown with a replacement character.
    std::cout << json.dump(context.output == Output::kJson ? 2 : -1, ' ', false,
                           Json::error_handler_t::replace)
              << '\n';
}

void print_json_list(const Context& context, const Json& list) {
    if (context.output == Output::kJson) return print_json(context, list);
    for (const Json& element : list) print_json(context, element);
}

void Table::print(const Context& context) const {
    std::vector<std::string> heads = heads_;
    std::vector<bool> right;
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < heads.size(); ++i) {
        right.push_back(heads[i].ends_with('>'));
        if (right[i]) heads[i].pop_back();
        widths.push_back(width(heads[i]));
        for (const auto& row : rows_) widths[i] = std::max(widths[i], width(row[i]));
    }
    const auto line = [&](const std::vector<std::string>& row) {
        std::string text;
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i > 0) text += "  ";
            text += padded(row[i], widths[i], right[i], i + 1 == row.size());
        }
        return text;
    };
    std::cout << (context.colours ? "\x1b[1m" + line(heads) + "\x1b[0m" : line(heads)) << '\n';
    for (const auto& row : rows_) std::cout << line(row) << '\n';
}

}  // namespace walrus::client
