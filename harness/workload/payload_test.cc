#include "harness/workload/payload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

PayloadShape shape_of(std::uint64_t bytes, std::uint32_t writer = 0, std::uint32_t batch = 1) {
    return {.seed = testing::test_seed(),
            .run_id = 9,
            .writer = writer,
            .bytes = bytes,
            .batch = batch};
}

TEST(Payload, EveryRecordSaysWhoWroteItAndIsIntact) {
    for (const std::uint64_t size : {40, 41, 100, 800, 65536}) {
        PayloadStream stream(shape_of(size, 3, 4));
        for (std::uint64_t i = 0; i < 2'000; ++i) {
            const Bytes record = stream.next(1, 1'000 + i).front();
            ASSERT_EQ(record.size(), size);
            RecordIdentity identity;
            ASSERT_EQ(inspect_payload(record, identity), PayloadState::kIntact);
            EXPECT_EQ(identity.writer, 3u);
            EXPECT_EQ(identity.sequence, i);
            EXPECT_EQ(identity.run_id, 9u);
            EXPECT_EQ(identity.sent_ns, 1'000 + i);
            RecordIdentity unchecked;
            ASSERT_TRUE(identify_payload(record, unchecked));
            EXPECT_EQ(unchecked.sequence, i);
            EXPECT_EQ(unchecked.sent_ns, 1'000 + i);
        }
    }
}

TEST(Payload, SizesAreSpreadOverTheirRange) {
    PayloadShape shape = shape_of(500);
    shape.bytes_max = 1'024;
    PayloadStream stream(shape);
    std::uint64_t least = ~std::uint64_t{0};
    std::uint64_t most = 0;
    std::uint64_t sum = 0;
    constexpr std::uint64_t kRecords = 10'000;
    for (std::uint64_t i = 0; i < kRecords; ++i) {
        const Bytes record = stream.next(1, 0).front();
        RecordIdentity identity;
        ASSERT_EQ(inspect_payload(record, identity), PayloadState::kIntact);
        least = std::min<std::uint64_t>(least, record.size());
        most = std::max<std::uint64_t>(most, record.size());
        sum += record.size();
    }
    EXPECT_GE(least, 500u);
    EXPECT_LE(most, 1'024u);
    EXPECT_LT(least, 550u);
    EXPECT_GT(most, 970u);
    EXPECT_NEAR(static_cast<double>(sum) / kRecords, 762.0, 50.0);
}

TEST(Payload, RecordsOfOneAppendDiffer) {
    PayloadStream stream(shape_of(800, 0, 256));
    for (int append = 0; append < 5; ++append) {
        std::set<std::string_view> bodies;
        for (const Bytes record : stream.next(256, 0)) {
            bodies.insert(as_text(record.subspan(kPayloadHeaderBytes)));
        }
        EXPECT_EQ(bodies.size(), 256u);
    }
}

TEST(Payload, TheSameSeedMakesTheSameBytesAndAnotherWriterOthers) {
    PayloadStream one(shape_of(200)), same(shape_of(200)), other(shape_of(200, 1));
    const Bytes first = one.next(1, 5).front();
    EXPECT_EQ(as_text(first), as_text(same.next(1, 5).front()));
    EXPECT_NE(as_text(first.subspan(kPayloadHeaderBytes)),
              as_text(other.next(1, 5).front().subspan(kPayloadHeaderBytes)));
}

TEST(Payload, WhatIsNoRecordIsNotIdentified) {
    RecordIdentity identity;
    EXPECT_FALSE(identify_payload(as_bytes("short"), identity));
    EXPECT_FALSE(identify_payload(as_bytes(std::string(100, 'x')), identity));
}

}  // namespace
}  // namespace walrus::harness
