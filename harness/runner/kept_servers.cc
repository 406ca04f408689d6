#include "harness/runner/kept_servers.h"

#include <utility>

#include "harness/runner/run_identity.h"

namespace walrus::harness {

KeptServers::~KeptServers() {
    while (!servers_.empty()) drop(std::string(servers_.begin()->first));
}

Result<Settings> KeptServers::attach(const SystemSpec& system) {
    if (const auto found = servers_.find(system.name); found != servers_.end()) {
        return found->second.attachment;
    }
    const std::string label = "server-" + as_file_name(system.name);
    auto directory = workspace_.make_directory(label);
    if (!directory) return std::move(directory).error();
    Job job;
    job.kind = JobKind::kServe;
    job.directory = *directory;
    job.system = system;
    const std::string log = workspace_.log_path(label + ".log");
    auto child = jobs_.start(job, log);
    if (!child) return std::move(child).error();
    auto answer = ChildJobs::read_answer(*child, log, timeout_ms_);
    const bool serves = answer && answer->error.empty();
    if (!serves) {
        child->kill();
        workspace_.remove_directory(*directory);
        if (!answer) return std::move(answer).error();
        return ChildJobs::with_last_words({Errc::kIo, answer->error}, log);
    }
    Settings attachment = std::move(answer->attachment);
    servers_.emplace(system.name, Server{.child = std::move(*child),
                                         .directory = std::move(*directory),
                                         .attachment = attachment});
    return attachment;
}

void KeptServers::drop(const std::string& system) {
    const auto found = servers_.find(system);
    if (found == servers_.end()) return;
    found->second.child.kill();
    workspace_.remove_directory(found->second.directory);
    ChildJobs::remove_if_empty(workspace_.log_path("server-" + as_file_name(system) + ".log"));
    servers_.erase(found);
}

}  // namespace walrus::harness
