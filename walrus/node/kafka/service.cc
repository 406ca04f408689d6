#include "walrus/node/kafka/service.h"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "walrus/base/log.h"
#include "walrus/node/kafka/fetch.h"
#include "walrus/node/kafka/produce.h"
#include "walrus/node/kafka/requests.h"

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

// "/10.0.0.7" of "10.0.0.7:40312", as Kafka writes a client's host.
std::string host_of(std::string_view peer) {
    return "/" + std::string(peer.substr(0, peer.rfind(':')));
}

}  // namespace

class KafkaService::Handler final : public net::ConnectionHandler {
public:
    Handler(KafkaService& service, std::string_view peer)
        : service_(service), context_(service.context()), peer_(peer) {}
    ~Handler() override { service_.fetches_->forget(this); }

    void on_frame(Bytes frame, net::ReplySlot slot) override;
    net::Reply on_bad_length(std::uint64_t length) override {
        refuse("a length of " + std::to_string(length) + " bytes");
        return {};
    }
    void on_input_end() override {
        ended_ = true;
        service_.fetches_->answer_now(this);
        answer_members_now();
    }

private:
    // What waits, or waited, for other members of a group: one of the two.
    struct Waiting {
        std::weak_ptr<Call> join;
        std::weak_ptr<Call> sync;
    };

    template <class Request>
    Status decode_and_handle(const RequestFrame& frame, Call& call);
    Status dispatch(const RequestFrame& frame, Call& call);
    void remember(Waiting waiting);
    void answer_members_now();
    void on_unsupported(const RequestFrame& frame, Call call);
    void refuse(const std::string& what);

    KafkaService& service_;
    const Context context_;
    const std::string peer_;
    std::vector<Waiting> members_;
    bool ended_ = false;
};

KafkaService::KafkaService(Parts parts, KafkaOptions options)
    : parts_(parts),
      options_(std::move(options)),
      groups_(std::make_unique<broker::GroupCoordinator>(parts_.loop, parts_.random, parts_.offsets,
                                                         options_.groups)),
      produces_(std::make_unique<Produces>(context())),
      fetches_(std::make_unique<Fetches>(context(), counters_)) {}

KafkaService::~KafkaService() = default;

Context KafkaService::context() const {
    return {parts_.broker, *groups_, parts_.offsets, parts_.loop, options_};
}

std::unique_ptr<net::ConnectionHandler> KafkaService::make_handler(std::string_view peer) {
    return std::make_unique<Handler>(*this, peer);
}

void KafkaService::Handler::on_frame(Bytes frame, net::ReplySlot slot) {
    const Result<RequestFrame> request = parse_request_frame(frame);
    Call call{.slot = std::move(slot)};
    if (!request) {
        refuse(request.error().message);
        return call.slot.close();
    }
    call.version = request->version;
    call.correlation_id = request->correlation_id;
    if (request->support != Support::kSupported) return on_unsupported(*request, std::move(call));
    ++service_.counters_.requests[static_cast<std::size_t>(request->api_key)];
    const Status status = dispatch(*request, call);
    if (status) return;
    refuse(status.error().message);
    call.slot.close();
}

void KafkaService::Handler::remember(Waiting waiting) {
    std::erase_if(members_,
                  [](const Waiting& old) { return old.join.expired() && old.sync.expired(); });
    members_.push_back(std::move(waiting));
}

// Other members may take minutes; the client finds a server that does not end.
void KafkaService::Handler::answer_members_now() {
    for (const Waiting& waiting : std::exchange(members_, {})) {
        if (const SharedCall join = waiting.join.lock(); join && join->slot)
            join->answer(JoinGroupResponse{.error = ErrorCode::kCoordinatorNotAvailable});
        if (const SharedCall sync = waiting.sync.lock(); sync && sync->slot)
            sync->answer(SyncGroupResponse{.error = ErrorCode::kCoordinatorNotAvailable});
    }
}

void KafkaService::Handler::on_unsupported(const RequestFrame& frame, Call call) {
    ++service_.counters_.unsupported;
    if (frame.support == Support::kUnsupportedVersion && frame.key() == ApiKey::kApiVersions)
        return answer_unsupported_api_versions(std::move(call));
    log(LogLevel::kWarn, "kafka: client " + peer_ + ": no api " + std::to_string(frame.api_key) +
                             " version " + std::to_string(frame.version) +
                             " here; its connection is closed");
    call.slot.close();
}

void KafkaService::Handler::refuse(const std::string& what) {
    ++service_.counters_.malformed;
    log(LogLevel::kWarn, "kafka: client " + peer_ + " sent " + what + "; its connection is closed");
}

template <class Request>
Status KafkaService::Handler::decode_and_handle(const RequestFrame& frame, Call& call) {
    Request request;
    WALRUS_RETURN_IF_ERROR(
        decode_request_into(frame, context_.options.max_request_elements, request));
    if constexpr (std::is_same_v<Request, JoinGroupRequest>) {
        const Client client{frame.client_id.value_or(""), host_of(peer_)};
        const SharedCall shared = share(std::move(call));
        remember({shared, {}});
        handle(context_, client, std::move(request), shared);
    } else if constexpr (std::is_same_v<Request, SyncGroupRequest>) {
        const SharedCall shared = share(std::move(call));
        remember({{}, shared});
        handle(context_, std::move(request), shared);
    } else {
        handle(context_, std::move(request), std::move(call));
    }
    return {};
}

Status KafkaService::Handler::dispatch(const RequestFrame& frame, Call& call) {
    switch (frame.key()) {
        case ApiKey::kProduce: return service_.produces_->handle(frame, call);
        case ApiKey::kFetch: {
            const Status status = service_.fetches_->handle(frame, call, this);
            if (ended_) service_.fetches_->answer_now(this);
            return status;
        }
        case ApiKey::kHeartbeat: return decode_and_handle<HeartbeatRequest>(frame, call);
        case ApiKey::kOffsetCommit: return decode_and_handle<OffsetCommitRequest>(frame, call);
        case ApiKey::kOffsetFetch: return decode_and_handle<OffsetFetchRequest>(frame, call);
        case ApiKey::kListOffsets: return decode_and_handle<ListOffsetsRequest>(frame, call);
        case ApiKey::kMetadata: return decode_and_handle<MetadataRequest>(frame, call);
        case ApiKey::kFindCoordinator:
            return decode_and_handle<FindCoordinatorRequest>(frame, call);
        case ApiKey::kJoinGroup: return decode_and_handle<JoinGroupRequest>(frame, call);
        case ApiKey::kLeaveGroup: return decode_and_handle<LeaveGroupRequest>(frame, call);
        case ApiKey::kSyncGroup: return decode_and_handle<SyncGroupRequest>(frame, call);
        case ApiKey::kDescribeGroups: return decode_and_handle<DescribeGroupsRequest>(frame, call);
        case ApiKey::kListGroups: return decode_and_handle<ListGroupsRequest>(frame, call);
        case ApiKey::kApiVersions: return decode_and_handle<ApiVersionsRequest>(frame, call);
        case ApiKey::kCreateTopics: return decode_and_handle<CreateTopicsRequest>(frame, call);
        case ApiKey::kDeleteTopics: return decode_and_handle<DeleteTopicsRequest>(frame, call);
        case ApiKey::kDeleteRecords: return decode_and_handle<DeleteRecordsRequest>(frame, call);
        case ApiKey::kInitProducerId: return decode_and_handle<InitProducerIdRequest>(frame, call);
        case ApiKey::kOffsetForLeaderEpoch:
            return decode_and_handle<OffsetForLeaderEpochRequest>(frame, call);
        case ApiKey::kDescribeConfigs:
            return decode_and_handle<DescribeConfigsRequest>(frame, call);
    }
    return Error{Errc::kUnsupported, "an unknown api"};
}

}  // namespace walrus::node::kafka
