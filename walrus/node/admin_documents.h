// The admin server's answers as text: JSON of /v1 and the health checks, Prometheus' exposition of
// /metrics.  Called on the loop.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "walrus/base/result.h"
#include "walrus/node/admin_source.h"

namespace walrus::node {

std::string node_json(const AdminSource& source);
std::string topics_json(const AdminSource& source);
// kNotFound.
Result<std::string> topic_json(const AdminSource& source, std::string_view topic);
std::string groups_json(const AdminSource& source);
// Of the cluster; kNotFound: this node runs alone.
Result<std::string> cluster_json(const AdminSource& source);
Result<std::string> nodes_json(const AdminSource& source);
Result<std::string> segments_json(const AdminSource& source);
std::string config_json(const AdminSource& source);
std::string version_json();
// {"error": "..."}
std::string error_json(std::string_view message);

struct Readiness {
    bool is_ready = false;
    std::string document;  // With the reasons.
};
Readiness readiness(const AdminSource& source);

// Records from `offset` on, `limit` at most: what a person wants to look at.  Answers on the loop.
struct MessagesQuery {
    std::string topic;
    std::int32_t partition = 0;
    std::uint64_t offset = 0;
    std::uint64_t limit = 10;
};
using JsonCallback = std::function<void(Result<std::string>)>;
void messages_json(const AdminSource& source, const MessagesQuery& query, JsonCallback done);

std::string metrics_text(const AdminSource& source);

}  // namespace walrus::node
