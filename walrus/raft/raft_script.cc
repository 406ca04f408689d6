#include "walrus/raft/raft_script.h"

#include <sstream>
#include <type_traits>

namespace walrus::raft {
namespace {

std::vector<std::string> split(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

std::uint64_t number(const std::string& word) {
    return std::stoull(word);
}

// "name=value" into its halves; the value is empty without '='.
std::pair<std::string, std::string> halves(const std::string& word) {
    const auto at = word.find('=');
    if (at == std::string::npos) return {word, ""};
    return {word.substr(0, at), word.substr(at + 1)};
}

std::string outcome(const Status& status) {
    return status ? "ok\n" : status.error().to_string() + "\n";
}

std::string outcome(const Result<Proposed>& proposed) {
    if (!proposed) return proposed.error().to_string() + "\n";
    if (proposed->forwarded) return "forwarded to " + std::to_string(proposed->leader) + "\n";
    return "index=" + std::to_string(proposed->index) + " term=" + std::to_string(proposed->term) +
           "\n";
}

std::string entry_text(const Entry& entry) {
    std::string text = std::to_string(entry.term) + "/" + std::to_string(entry.index);
    switch (entry.kind) {
        case EntryKind::kNoop: return text + " noop";
        case EntryKind::kCommand: return text + " \"" + std::string(entry.data.text()) + "\"";
        case EntryKind::kConfChange: return text + " conf";
    }
    return text;
}

class BodyText {
public:
    std::string operator()(const VoteRequest& m) const {
        std::string text = m.pre_vote ? "pre-vote?" : "vote?";
        if (m.transfer) text += " transfer";
        return text + " last=" + pair(m.last_term, m.last_index);
    }
    std::string operator()(const VoteReply& m) const {
        return std::string(m.pre_vote ? "pre-vote " : "vote ") + (m.granted ? "yes" : "no");
    }
    std::string operator()(const AppendRequest& m) const {
        std::string text = "append prev=" + pair(m.prev_term, m.prev_index) +
                           " commit=" + std::to_string(m.commit) + " [";
        for (std::size_t i = 0; i < m.entries.size(); ++i) {
            text += (i == 0 ? "" : ", ") + entry_text(m.entries[i]);
        }
        return text + "]";
    }
    std::string operator()(const AppendReply& m) const {
        if (m.accepted) return "append-ok match=" + std::to_string(m.match_index);
        return "append-refused prev=" + std::to_string(m.rejected_prev) +
               " hint=" + pair(m.hint_term, m.hint_index);
    }
    std::string operator()(const HeartbeatRequest& m) const {
        return "heartbeat commit=" + std::to_string(m.commit) + " round=" + std::to_string(m.round);
    }
    std::string operator()(const HeartbeatReply& m) const {
        return "heartbeat-ok round=" + std::to_string(m.round);
    }
    std::string operator()(const SnapshotChunk& m) const {
        return "snapshot " + pair(m.meta.term, m.meta.index) +
               " offset=" + std::to_string(m.offset) + " bytes=" + std::to_string(m.data.size()) +
               (m.done ? " done" : "") + " (" + to_text(m.meta.conf) + ")";
    }
    std::string operator()(const SnapshotReply& m) const {
        return "snapshot-next index=" + std::to_string(m.snapshot_index) +
               " offset=" + std::to_string(m.next_offset);
    }
    std::string operator()(const TimeoutNow&) const { return "timeout-now"; }
    std::string operator()(const ReadRequest& m) const {
        return "read? id=" + std::to_string(m.id);
    }
    std::string operator()(const ReadReply& m) const {
        return "read id=" + std::to_string(m.id) +
               (m.confirmed ? " index=" + std::to_string(m.index) : " refused");
    }
    std::string operator()(const ProposeRequest& m) const {
        return "propose \"" + std::string(m.data.text()) + "\"";
    }

private:
    static std::string pair(Term term, Index index) {
        return std::to_string(term) + "/" + std::to_string(index);
    }
};

std::string progress_text(NodeId id, const Progress& progress) {
    constexpr const char* kStates[] = {"probe", "replicate", "snapshot"};
    return std::to_string(id) + ": " + kStates[static_cast<int>(progress.state())] +
           " match=" + std::to_string(progress.match()) +
           " next=" + std::to_string(progress.next()) +
           " inflight=" + std::to_string(progress.inflight().count()) +
           (progress.leaving ? " leaving" : "") + (progress.recent_active ? "" : " silent") +
           (progress.caught_up() ? " caught-up" : "") + "\n";
}

}  // namespace

std::string to_text(const Message& message) {
    return std::to_string(message.from) + "->" + std::to_string(message.to) + " t" +
           std::to_string(message.term) + " " + std::visit(BodyText{}, message.body);
}

std::string RaftScript::run(const std::string& text) {
    std::istringstream in(text);
    std::string result;
    std::string output;
    bool in_output = false;
    for (std::string line; std::getline(in, line);) {
        if (in_output) {
            if (!line.empty()) continue;
            in_output = false;
            result += "\n";
            continue;
        }
        result += line + "\n";
        if (line == "----") {
            result += output.empty() ? "ok\n" : output;
            output.clear();
            in_output = true;
        } else if (!line.empty() && line[0] != '#') {
            output += command(line);
        }
    }
    return result;
}

std::string RaftScript::command(const std::string& line) {
    const Words words = split(line);
    if (words[0] == "add-nodes") {
        add_nodes(words);
        return "";
    }
    if (!cluster_) return "no cluster\n";
    const bool about_all = words.size() == 1 || words[0] == "tick-all" || words[0] == "cut";
    if (about_all) return cluster_command(words);
    if (cluster_->nodes().count(number(words[1])) == 0) return "no such node\n";
    return node_command(words);
}

void RaftScript::add_nodes(const Words& words) {
    Options options;
    std::uint64_t joiners = 0;
    for (std::size_t i = 2; i < words.size(); ++i) {
        const auto [name, value] = halves(words[i]);
        if (name == "joiners") joiners = number(value);
        if (name == "max_message_bytes") options.max_message_bytes = number(value);
        if (name == "trailing_entries") options.trailing_entries = number(value);
        if (name == "snapshot_chunk_bytes") options.snapshot_chunk_bytes = number(value);
        if (name == "auto_promote") options.auto_promote = number(value) != 0;
        if (name == "max_inflight_messages") {
            options.max_inflight_messages = static_cast<std::uint32_t>(number(value));
        }
    }
    cluster_ = std::make_unique<TestCluster>(number(words[1]), joiners, options);
}

std::string RaftScript::cluster_command(const Words& words) {
    const std::string& name = words[0];
    std::string text;
    if (name == "deliver") {
        cluster_->deliver();
    } else if (name == "deliver-once") {
        cluster_->deliver_once();
    } else if (name == "wire") {
        for (auto& [id, node] : cluster_->nodes()) cluster_->work(id);
        for (const Message& message : cluster_->wire()) text += to_text(message) + "\n";
    } else if (name == "drop-wire") {
        for (auto& [id, node] : cluster_->nodes()) cluster_->work(id);
        cluster_->wire().clear();
    } else if (name == "tick-all") {
        cluster_->tick_all(number(words.at(1)));
    } else if (name == "elect-any") {
        text = "leader " + std::to_string(cluster_->elect_any()) + "\n";
    } else if (name == "cut") {
        cluster_->cut(number(words.at(1)), number(words.at(2)));
    } else if (name == "heal") {
        cluster_->heal();
    } else if (name == "status") {
        for (auto& [id, node] : cluster_->nodes()) text += node.describe() + "\n";
    } else {
        return "unknown command\n";
    }
    for (const Error& error : cluster_->take_step_errors()) text += error.to_string() + "\n";
    return text;
}

std::string RaftScript::node_command(const Words& words) {
    const std::string& name = words[0];
    const NodeId id = number(words[1]);
    TestNode& node = cluster_->node(id);
    if (name == "isolate") return cluster_->isolate(id), "";
    if (name == "hold-disk") return cluster_->hold_disk(id), "";
    if (name == "release-disk") return cluster_->release_disk(id), "";
    if (name == "restart") return cluster_->restart(id), "";
    if (name == "status") return node.describe() + "\n";
    if (!node.alive()) return "node is down\n";
    if (name == "crash") return cluster_->crash(id), "";
    if (name == "campaign") return node.raft().campaign(), "";
    if (name == "tick") {
        cluster_->tick(id, words.size() > 2 ? number(words[2]) : 1);
        return "";
    }
    if (name == "propose") return outcome(node.raft().propose(Payload(words.at(2))));
    if (name == "read") return outcome(node.raft().read_index(number(words.at(2))));
    if (name == "transfer") return outcome(node.raft().transfer_leader(number(words.at(2))));
    if (name == "snapshot") return node.take_snapshot() ? "" : "nothing to snapshot\n";
    if (name == "conf-change") return conf_change(words);
    return report(words);
}

std::string RaftScript::conf_change(const Words& words) {
    ConfChange change;
    for (std::size_t i = 2; i < words.size(); ++i) {
        const auto [name, value] = halves(words[i]);
        if (name == "joint") change.transition = Transition::kJoint;
        if (name == "explicit") change.transition = Transition::kJointExplicit;
        if (value.empty()) continue;
        ConfChangeKind kind = ConfChangeKind::kRemove;
        if (name == "add-voter") kind = ConfChangeKind::kAddVoter;
        if (name == "add-learner") kind = ConfChangeKind::kAddLearner;
        change.steps.push_back({kind, number(value)});
    }
    return outcome(cluster_->raft(number(words[1])).propose_conf_change(change));
}

std::string RaftScript::report(const Words& words) {
    TestNode& node = cluster_->node(number(words[1]));
    const RaftLog& log = node.raft().log();
    std::string text;
    if (words[0] == "log") {
        for (Index i = log.base_index() + 1; i <= log.last_index(); ++i) {
            text +=
                entry_text(log.at(i)) + (i <= log.commit_index() ? "" : " (uncommitted)") + "\n";
        }
        return text.empty() ? "empty\n" : text;
    }
    if (words[0] == "progress") {
        for (const auto& [id, progress] : node.raft().progress())
            text += progress_text(id, progress);
        return text;
    }
    if (words[0] == "reads") {
        for (const ReadState& read : node.reads()) {
            text += "read " + std::to_string(read.id) + " at " + std::to_string(read.index) + "\n";
        }
        for (const ReadId id : node.failed_reads()) text += "failed " + std::to_string(id) + "\n";
        return text.empty() ? "none\n" : text;
    }
    if (words[0] == "applied") {
        for (const std::string& command : node.applied_commands()) text += command + "\n";
        return text.empty() ? "nothing\n" : text;
    }
    return "unknown command\n";
}

}  // namespace walrus::raft
