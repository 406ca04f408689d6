// A connection gets any frames at all: the server refuses or answers them, and stays whole.
//
// Input: frames, each a u16 length (little-endian) and that many bytes; every other byte string is
// one frame.  Time goes on between frames.
#include <cstdint>
#include <cstdlib>

#include "walrus/node/kafka/test_kafka.h"

namespace walrus::node::kafka {
namespace {

void run(Bytes input) {
    KafkaFixture kafka;
    kafka.create("t", 2);
    const std::string batch = batch_of({"one", "two"});
    kafka.send(
        as_bytes(wire::encode_request({7, 1, "x"}, KafkaFixture::produce_request("t", 0, batch)))
            .subspan(4));
    std::vector<std::uint64_t> numbers;
    while (input.size() >= 2) {
        const std::size_t size =
            std::min<std::size_t>(load_le<std::uint16_t>(input.data()), input.size() - 2);
        numbers.push_back(kafka.send(input.subspan(2, size)));
        input = input.subspan(2 + size);
        kafka.loop.advance_ms(50);
    }
    kafka.loop.advance_ms(2'000'000);
    for (const std::uint64_t number : numbers)
        if (!kafka.answered(number)) std::abort();  // Somebody would wait for ever.
    kafka.handler.reset();
    kafka.service.reset();
    if (kafka.loop.timers() != 0) std::abort();
}

}  // namespace
}  // namespace walrus::node::kafka

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    walrus::node::kafka::run(std::as_bytes(std::span(data, size)));
    return 0;
}
