#include "walrus/net/connection_handler.h"

namespace walrus::net {

std::uint64_t Reply::size_bytes() const {
    std::uint64_t size = head.size();
    for (const Bytes piece : pieces) size += piece.size();
    return size;
}

ReplySlot& ReplySlot::operator=(ReplySlot&& other) noexcept {
    if (this == &other) return *this;
    abandon();
    sink_ = std::move(other.sink_);
    request_ = other.request_;
    return *this;
}

void ReplySlot::use(Reply reply, AfterReply after) {
    WALRUS_ASSERT(sink_ != nullptr);
    const std::shared_ptr<ReplySink> sink = std::move(sink_);
    sink_.reset();
    sink->complete(request_, std::move(reply), after);
}

void ReplySlot::abandon() {
    if (sink_ != nullptr) use({}, AfterReply::kClose);
}

}  // namespace walrus::net
