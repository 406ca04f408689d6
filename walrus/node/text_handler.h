// The text protocol (protocol/text_codec.h) over a broker: REGISTER, PUT, GET, STATE, METRICS.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walrus/broker/broker.h"
#include "walrus/broker/record_service.h"
#include "walrus/broker/shared_cursor.h"
#include "walrus/net/connection_handler.h"
#include "walrus/net/loop.h"
#include "walrus/protocol/text_codec.h"

namespace walrus::node {

struct TextServiceOptions {
    std::string address;  // Of this node among its peers, as METRICS tells it.
    // Does PUT and GET, for topics that other nodes may lead; null: the topics' partitions here.
    broker::RecordService* records = nullptr;
};

// Since the start.
struct TextCounters {
    std::uint64_t registers = 0;
    std::uint64_t puts = 0;
    std::uint64_t gets = 0;
    std::uint64_t states = 0;
    std::uint64_t metrics = 0;
    std::uint64_t refused = 0;  // Not understood.
};

// What the connections of the text protocol have in common.  Used on the loop; broker, store and
// loop outlive it, and it outlives its callbacks: destroy it after the broker was closed.
class TextService {
public:
    TextService(broker::Broker& broker, broker::OffsetStore& offsets, net::Loop& loop,
                TextServiceOptions options);
    ~TextService();

    // For a FrameServer: little-endian lengths of at most protocol::kMaxTextCommandBytes.
    std::unique_ptr<net::ConnectionHandler> make_handler();
    const TextCounters& counters() const { return counters_; }

private:
    class Handler;
    struct Put;

    void serve(const protocol::TextRequest& request, net::ReplySlot slot);
    void register_topic(std::string_view topic, net::ReplySlot slot);
    void put(const protocol::TextRequest& request, net::ReplySlot slot);
    void on_appended(Put& put, const broker::AppendResult& result);
    void put_elsewhere(const protocol::TextRequest& request, net::ReplySlot slot);
    void get(std::string_view topic, net::ReplySlot slot);
    void state(std::string_view topic, net::ReplySlot slot);
    std::uint64_t segment_of(std::string_view topic) const;  // That is open now.

    broker::Broker& broker_;
    net::Loop& loop_;
    const TextServiceOptions options_;
    TextCounters counters_;
    std::vector<std::unique_ptr<Put>> puts_;  // All there are.
    std::vector<Put*> free_puts_;
    broker::SharedCursors cursors_;
};

}  // namespace walrus::node
