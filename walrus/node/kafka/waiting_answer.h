// WaitingAnswer: a response whose parts come one by one.
#pragma once

#include <memory>
#include <utility>

#include "walrus/node/kafka/context.h"

namespace walrus::node::kafka {

// Shared by the callbacks of the parts; the last one that lets go of it sends the answer.  The
// first to hold it is who makes the parts, so nothing is sent before all of them were asked for.
template <class Response>
class WaitingAnswer {
public:
    explicit WaitingAnswer(Call call) : call_(std::move(call)) {}
    ~WaitingAnswer() {
        if (call_.slot) call_.answer(response);
    }
    WaitingAnswer(const WaitingAnswer&) = delete;
    WaitingAnswer& operator=(const WaitingAnswer&) = delete;

    Response response = {};

private:
    Call call_;
};

template <class Response>
std::shared_ptr<WaitingAnswer<Response>> make_waiting_answer(Call call) {
    return std::make_shared<WaitingAnswer<Response>>(std::move(call));
}

}  // namespace walrus::node::kafka
