// Making members: the first of a cluster, and those that join.
#include <algorithm>
#include <memory>
#include <utility>

#include "walrus/member/join_message.h"
#include "walrus/member/member.h"
#include "walrus/member/settings.h"

namespace walrus::member {
namespace {

constexpr std::uint64_t kAskAgainMs = 200;

std::uint64_t draw(Random& random) {
    std::uint64_t number = 0;
    while (number == 0) number = random.next();
    return number;
}

// A crash may have left it behind.
Status format(const MemberOptions& options, std::uint64_t cluster, const raft::ConfState& conf) {
    const Status made = raft_storage::Storage::format(raft_store_options(options, cluster), conf);
    return made || made.error().code == Errc::kAlreadyExists ? Status() : made;
}

// One attempt to join; keeps itself alive by its callbacks.
class Joiner : public std::enable_shared_from_this<Joiner> {
public:
    Joiner(MemberOptions options, std::string address, net::Loop& loop, net::Transport& transport,
           std::function<void(Status)> done)
        : options_(std::move(options)),
          first_address_(std::move(address)),
          loop_(loop),
          transport_(transport),
          done_(std::move(done)) {}

    void start() {
        if (const Status prepared = prepare(); !prepared) return finish(prepared);
        deadline_ms_ = loop_.now_ms() + options_.join_timeout_ms;
        last_error_ = {Errc::kTimeout, "nobody answered"};
        ask(first_address_);
    }

private:
    Status prepare() {
        WALRUS_RETURN_IF_ERROR(check(options_));
        Result<std::optional<MemberFile>> found =
            read_member_file(*options_.env, options_.directory);
        if (!found) return std::move(found).error();
        if (!*found) {
            WALRUS_RETURN_IF_ERROR(expect_unused(options_));
        } else if ((*found)->phase != MemberPhase::kJoining || (*found)->node != options_.id) {
            return Error{Errc::kAlreadyExists, options_.directory + ": node " +
                                                   std::to_string((*found)->node) +
                                                   " is here already; use another directory"};
        } else {
            cluster_ = (*found)->cluster;
            WALRUS_RETURN_IF_ERROR(make_disk());
        }
        boot_ = draw(*options_.random);
        return {};
    }

    Status make_disk() {
        WALRUS_RETURN_IF_ERROR(write_member_file(
            *options_.env, options_.directory,
            {.phase = MemberPhase::kJoining, .cluster = cluster_, .node = options_.id}));
        auto store = replica_store::ReplicaStore::open(replica_store_options(options_, cluster_));
        if (!store) return std::move(store).error();
        disk_ = (*store)->disk();
        return (*store)->close();
    }

    void ask(const std::string& address) {
        const std::uint64_t now = loop_.now_ms();
        if (now >= deadline_ms_) return finish(last_error_);
        const JoinQuestion question{.cluster = cluster_,
                                    .node = options_.id,
                                    .boot = boot_,
                                    .disk = disk_,
                                    .peer_address = options_.peer_address,
                                    .text_address = options_.text_address,
                                    .kafka_address = options_.kafka_address};
        transport_.ask(address, encode(question),
                       std::min(deadline_ms_ - now, options_.propose_timeout_ms + 1000),
                       [self = shared_from_this(), address](const Result<std::string>& answer) {
                           self->answered(address, answer);
                       });
    }

    void ask_again() {
        loop_.after_ms(kAskAgainMs,
                       [self = shared_from_this()] { self->ask(self->first_address_); });
    }

    void answered(const std::string& address, const Result<std::string>& bytes) {
        if (!bytes) {
            if (bytes.error().code == Errc::kUnsupported) return finish(bytes.error());
            last_error_ = bytes.error();
            // A node that was named may be gone; the cluster finds another leader.
            return ask_again();
        }
        const Result<JoinAnswer> answer = decode_join_answer(*bytes);
        if (!answer) return finish(answer.error());
        using AnswerKind = JoinAnswer::Kind;
        switch (answer->kind) {
            case AnswerKind::kRefused: return finish(Error{answer->code, "join: " + answer->text});
            case AnswerKind::kNotNow:
                last_error_ = {Errc::kTimeout, "join: " + address + ": " + answer->text};
                return ask_again();
            case AnswerKind::kRedirect:
                return answer->text == address ? ask_again() : ask(answer->text);
            case AnswerKind::kMakeDisk: {
                cluster_ = answer->cluster;
                if (const Status made = make_disk(); !made) return finish(made);
                return ask(address);
            }
            case AnswerKind::kAccepted: return finish(accepted(*answer));
        }
    }

    Status accepted(const JoinAnswer& answer) {
        WALRUS_RETURN_IF_ERROR(format(options_, cluster_, {}));
        return write_member_file(*options_.env, options_.directory,
                                 {.phase = MemberPhase::kMade,
                                  .cluster = cluster_,
                                  .node = options_.id,
                                  .peers = answer.peers});
    }

    void finish(Status status) {
        // It may destroy what this uses.
        const auto done = std::move(done_);
        done(std::move(status));
    }

    const MemberOptions options_;
    const std::string first_address_;
    net::Loop& loop_;
    net::Transport& transport_;
    std::function<void(Status)> done_;
    std::uint64_t deadline_ms_ = 0;
    Error last_error_ = {};
    std::uint64_t cluster_ = 0;
    cluster::BootId boot_ = 0;
    cluster::DiskId disk_ = 0;
};

}  // namespace

Result<std::optional<MemberIdentity>> ClusterMember::identify(const MemberOptions& given) {
    const MemberOptions options = with_real_seams(given);
    const Result<std::optional<MemberFile>> file =
        read_member_file(*options.env, options.directory);
    if (!file) return file.error();
    if (!*file || (*file)->phase != MemberPhase::kMade) return std::optional<MemberIdentity>();
    return std::optional(MemberIdentity{(*file)->cluster, (*file)->node});
}

Status ClusterMember::bootstrap(const MemberOptions& given) {
    const MemberOptions options = with_real_seams(given);
    WALRUS_RETURN_IF_ERROR(check(options));
    const Result<std::optional<MemberFile>> found =
        read_member_file(*options.env, options.directory);
    if (!found) return found.error();
    MemberFile file{.phase = MemberPhase::kBootstrapping, .node = options.id};
    if (!*found) {
        WALRUS_RETURN_IF_ERROR(expect_unused(options));
        file.cluster = draw(*options.random);
        WALRUS_RETURN_IF_ERROR(write_member_file(*options.env, options.directory, file));
    } else if ((*found)->phase != MemberPhase::kBootstrapping || (*found)->node != options.id) {
        return Error{Errc::kAlreadyExists, options.directory + ": node " +
                                               std::to_string((*found)->node) +
                                               " is here already; use another directory"};
    } else {
        file = **found;
    }
    WALRUS_RETURN_IF_ERROR(format(options, file.cluster, {.voters = {options.id}}));
    file.phase = MemberPhase::kMade;
    return write_member_file(*options.env, options.directory, file);
}

void ClusterMember::join(const MemberOptions& options, const std::string& address, net::Loop& loop,
                         net::Transport& transport, std::function<void(Status)> done) {
    std::make_shared<Joiner>(with_real_seams(options), address, loop, transport, std::move(done))
        ->start();
}

}  // namespace walrus::member
