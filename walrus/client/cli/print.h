// How verbs print what they found.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "walrus/client/cli/context.h"

namespace walrus::client {

using Json = nlohmann::ordered_json;

// One document: over several lines for -o json, on one for jsonl.
void print_json(const Context& context, const Json& json);
// The elements of a list: as one document, or one a line.
void print_json_list(const Context& context, const Json& list);

// Columns as wide as they need to be; a column whose head ends in '>' is set to the right.
class Table {
public:
    explicit Table(std::vector<std::string> heads) : heads_(std::move(heads)) {}

    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    // Nothing but the head when it is empty.
    void print(const Context& context) const;

private:
    std::vector<std::string> heads_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace walrus::client
