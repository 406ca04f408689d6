#include "walrus/node/text_handler.h"

#include <memory>
#include <optional>
#include <utility>

#include "walrus/node/text_reply.h"
#include "walrus/protocol/record_batch_builder.h"
#include "walrus/protocol/text_error.h"

namespace walrus::node {

// A PUT that waits for the log; reused.
struct TextService::Put {
    TextService* service = nullptr;
    net::ReplySlot slot;
    std::string topic;

    static void on_append(void* context, const broker::AppendResult& result) {
        Put& put = *static_cast<Put*>(context);
        put.service->on_appended(put, result);
    }
};

class TextService::Handler final : public net::ConnectionHandler {
public:
    explicit Handler(TextService& service) : service_(service) {}

    void on_frame(Bytes frame, net::ReplySlot slot) override {
        const auto request = protocol::parse_text_request(frame);
        if (request) return service_.serve(*request, std::move(slot));
        ++service_.counters_.refused;
        slot.send(protocol::encode_text_error(request.error().message));
    }

    net::Reply on_bad_length(std::uint64_t /*length*/) override {
        ++service_.counters_.refused;
        return {.head = protocol::encode_text_error(protocol::text_error::kInvalidFrameLength)};
    }

private:
    TextService& service_;
};

TextService::TextService(broker::Broker& broker, broker::OffsetStore& offsets, net::Loop& loop,
                         TextServiceOptions options)
    : broker_(broker), loop_(loop), options_(std::move(options)), cursors_(offsets, loop) {}

TextService::~TextService() = default;

std::unique_ptr<net::ConnectionHandler> TextService::make_handler() {
    return std::make_unique<Handler>(*this);
}

void TextService::serve(const protocol::TextRequest& request, net::ReplySlot slot) {
    using protocol::TextCommand;
    switch (request.command) {
        case TextCommand::kRegister: return register_topic(request.topic, std::move(slot));
        case TextCommand::kPut: return put(request, std::move(slot));
        case TextCommand::kGet: return get(request.topic, std::move(slot));
        case TextCommand::kState: return state(request.topic, std::move(slot));
        case TextCommand::kMetrics:
            ++counters_.metrics;
            return slot.send(
                protocol::encode_text_frame(metrics_document(broker_.cluster(), options_.address)));
    }
}

void TextService::register_topic(std::string_view topic, net::ReplySlot slot) {
    ++counters_.registers;
    auto shared = std::make_shared<net::ReplySlot>(std::move(slot));
    broker_.create_topic({.name = std::string(topic)}, false, [shared](const Status& status) {
        if (status || status.error().code == Errc::kAlreadyExists)
            return shared->send(protocol::encode_text_ok());
        shared->send(protocol::encode_text_error(status.error().message));
    });
}

void TextService::put(const protocol::TextRequest& request, net::ReplySlot slot) {
    ++counters_.puts;
    if (options_.records != nullptr) return put_elsewhere(request, std::move(slot));
    broker::Partition* partition = broker_.find(request.topic, 0);
    if (partition == nullptr) return slot.send(unknown_topic_reply(request.topic));
    if (free_puts_.empty()) {
        free_puts_.push_back(puts_.emplace_back(std::make_unique<Put>()).get());
        free_puts_.back()->service = this;
    }
    Put* const put = free_puts_.back();
    free_puts_.pop_back();
    put->slot = std::move(slot);
    put->topic = request.topic;
    const std::string batch = protocol::one_record_batch(
        as_bytes(request.payload), static_cast<std::int64_t>(loop_.wall_ms()));
    partition->append(as_bytes(batch), broker::Acks::kAll, {&Put::on_append, put});
}

void TextService::put_elsewhere(const protocol::TextRequest& request, net::ReplySlot slot) {
    auto answer = [this, shared = std::make_shared<net::ReplySlot>(std::move(slot)),
                   topic = std::string(request.topic)](const Status& status) {
        shared->send(status ? protocol::encode_text_ok()
                            : append_error_reply(topic, segment_of(topic), status.error()));
    };
    options_.records->put(request.topic, as_bytes(request.payload), std::move(answer));
}

std::uint64_t TextService::segment_of(std::string_view topic) const {
    const broker::Partition* partition = broker_.find(topic, 0);
    return partition == nullptr ? 1 : current_segment(partition->info());
}

void TextService::on_appended(Put& put, const broker::AppendResult& result) {
    net::ReplySlot slot = std::move(put.slot);
    if (result.outcome == broker::AppendOutcome::kAppended) {
        slot.send(protocol::encode_text_ok());
    } else {
        const Error error = result.status
                                ? Error{Errc::kInvalidArgument,
                                        std::string(broker::append_outcome_name(result.outcome))}
                                : result.status.error();
        slot.send(append_error_reply(put.topic, segment_of(put.topic), error));
    }
    free_puts_.push_back(&put);
}

void TextService::get(std::string_view topic, net::ReplySlot slot) {
    ++counters_.gets;
    auto answer = [shared = std::make_shared<net::ReplySlot>(std::move(slot)),
                   topic = std::string(topic)](const Result<std::optional<std::string>>& record) {
        if (!record) return shared->send(read_error_reply(topic, record.error()));
        shared->send(*record ? protocol::encode_text_ok(**record) : protocol::encode_text_empty());
    };
    if (options_.records != nullptr) return options_.records->get(topic, std::move(answer));
    broker::Partition* partition = broker_.find(topic, 0);
    if (partition == nullptr) return answer(Error{Errc::kNotFound, "no such topic"});
    cursors_.of(topic, *partition).get(std::move(answer));
}

void TextService::state(std::string_view topic, net::ReplySlot slot) {
    ++counters_.states;
    const auto description = broker_.describe(topic);
    if (!description) return slot.send(unknown_topic_reply(topic));
    slot.send(protocol::encode_text_frame(state_document(*description)));
}

}  // namespace walrus::node
