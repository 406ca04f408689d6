#include "harness/workload/payload.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "walrus/testing/seed.h"

namespace walrus::harness {
namespace {

TEST(Payload, EveryRecordSaysWhoWroteItAndIsIntact) {
    for (const std::uint64_t size : {32, 33, 100, 800, 65536}) {
        PayloadStream stream(testing::test_seed(), 9, 3, size, 4);
        for (std::uint64_t i = 0; i < 2'000; ++i) {
            const Bytes record = stream.next(1).front();
            ASSERT_EQ(record.size(), size);
            RecordIdentity identity;
            ASSERT_EQ(inspect_payload(record, identity), PayloadState::kIntact);
            EXPECT_EQ(identity.writer, 3u);
            EXPECT_EQ(identity.sequence, i);
            EXPECT_EQ(identity.run_id, 9u);
        }
    }
}

TEST(Payload, RecordsOfOneAppendDiffer) {
    PayloadStream stream(testing::test_seed(), 1, 0, 800, 256);
    for (int append = 0; append < 5; ++append) {
        std::set<std::string_view> bodies;
        for (const Bytes record : stream.next(256)) {
            bodies.insert(as_text(record.subspan(kPayloadHeaderBytes)));
        }
        EXPECT_EQ(bodies.size(), 256u);
    }
}

TEST(Payload, TheSameSeedMakesTheSameBytesAndAnotherWriterOthers) {
    PayloadStream one(5, 1, 0, 200, 1), same(5, 1, 0, 200, 1), other(5, 1, 1, 200, 1);
    const Bytes first = one.next(1).front();
    EXPECT_EQ(as_text(first), as_text(same.next(1).front()));
    EXPECT_NE(as_text(first.subspan(kPayloadHeaderBytes)),
              as_text(other.next(1).front().subspan(kPayloadHeaderBytes)));
}

}  // namespace
}  // namespace walrus::harness
