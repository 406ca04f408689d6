#include "walrus/member/member.h"

#include <utility>

#include "walrus/member/member_impl.h"
#include "walrus/member/settings.h"

namespace walrus::member {

ClusterMember::ClusterMember(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ClusterMember::~ClusterMember() = default;

Result<std::unique_ptr<ClusterMember>> ClusterMember::open(const MemberOptions& given,
                                                           net::Loop& loop,
                                                           net::Transport& transport,
                                                           MemberWatcher& watcher) {
    MemberOptions options = with_real_seams(given);
    WALRUS_RETURN_IF_ERROR(check(options));
    Result<MemberFile> file = read_made_member(options);
    if (!file) return std::move(file).error();
    auto impl = std::make_unique<Impl>(std::move(options), loop, transport, watcher);
    WALRUS_RETURN_IF_ERROR(impl->open(*std::move(file)));
    return std::unique_ptr<ClusterMember>(new ClusterMember(std::move(impl)));
}

void ClusterMember::step_aside(std::uint64_t timeout_ms, std::function<void(Status)> done) {
    impl_->departure_->begin(impl_->loop_.now_ms() + timeout_ms, std::move(done));
}

Status ClusterMember::close() {
    return impl_->close();
}

// --- metadata ---

MemberIdentity ClusterMember::identity() const {
    return {impl_->file_.cluster, impl_->options_.id};
}

cluster::LeaderId ClusterMember::self() const {
    return {impl_->options_.id, impl_->boot_};
}

const cluster::ClusterState& ClusterMember::state() const {
    return impl_->state_;
}

cluster::NodeId ClusterMember::controller() const {
    return impl_->raft_->raft().leader();
}

void ClusterMember::propose(cluster::CommandBody body, ProposeCallback done) {
    impl_->proposals_->add(std::move(body),
                           impl_->loop_.now_ms() + impl_->options_.propose_timeout_ms,
                           std::move(done));
    (*impl_->wake_)();
}

void ClusterMember::read_barrier(std::function<void(Status)> done) {
    Impl& impl = *impl_;
    impl.raft_->read_barrier([&impl, done = std::move(done)](Status status) {
        impl.answers_.push_back([done, status = std::move(status)] { done(status); });
    });
    (*impl.wake_)();
}

// --- records ---

void ClusterMember::append(cluster::TopicId topic, cluster::Batch batch, AppendCallback done) {
    impl_->segments_->append(topic, std::move(batch), std::move(done));
    (*impl_->wake_)();
}

void ClusterMember::confirm_read(cluster::TopicId topic, ConfirmCallback done) {
    impl_->segments_->confirm_read(topic, std::move(done));
    (*impl_->wake_)();
}

Offset ClusterMember::readable_end(cluster::TopicId topic) const {
    return impl_->segments_->readable_end(topic);
}

void ClusterMember::read(cluster::TopicId topic, Offset from, std::uint64_t max_bytes,
                         ReadCallback done) {
    impl_->segments_->read(topic, from, max_bytes, std::move(done));
}

// --- between nodes ---

void ClusterMember::call(cluster::NodeId to, std::string request, std::uint64_t timeout_ms,
                         CallCallback done) {
    impl_->calls_->call(to, std::move(request), impl_->loop_.now_ms() + timeout_ms,
                        std::move(done));
}

void ClusterMember::set_call_handler(CallHandler handler) {
    impl_->calls_->set_handler(std::move(handler));
}

// --- operators ---

void ClusterMember::remove_member(cluster::NodeId node, std::function<void(Status)> done) {
    impl_->admission_->remove(node, impl_->loop_.now_ms(), std::move(done));
    (*impl_->wake_)();
}

ClusterMember::MetadataFacts ClusterMember::metadata_facts() const {
    const raft::Raft& raft = impl_->raft_->raft();
    return {.term = raft.term(),
            .commit_index = raft.log().commit_index(),
            .applied_index = impl_->raft_->applied_index(),
            .voters = raft.conf().voters,
            .learners = raft.conf().learners};
}

}  // namespace walrus::member
