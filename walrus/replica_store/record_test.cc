// The bytes of a copy's stream, and what is refused.
#include "walrus/replica_store/record.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace walrus::replica_store {
namespace {

std::string hex(const std::string& bytes) {
    std::string text;
    for (const char c : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
        text += digits;
    }
    return text;
}

StoredBatch stored() {
    StoredBatch batch;
    batch.before = {.length = 1, .bytes = 2, .chain = cluster::ChainHash{3}};
    batch.batch = {.records = 4,
                   .producer = {.id = 5, .epoch = 6, .first_sequence = 7},
                   .preamble = cluster::Payload("p"),
                   .data = cluster::Payload("data")};
    return batch;
}

TEST(ReplicaStoreRecord, EveryKindHasItsGoldenBytes) {
    EXPECT_EQ(hex(encode(Identity{1, 2, 3})),
              "01"
              "01"
              "0100000000000000"
              "0200000000000000"
              "0300000000000000");
    EXPECT_EQ(hex(encode(cluster::PromiseEpoch{cluster::Epoch{9}})), "020900000000000000");
    EXPECT_EQ(hex(encode(stored())),
              "03"
              "0100000000000000"
              "0200000000000000"
              "0300000000000000"
              "04000000"
              "0500000000000000"
              "0600"
              "07000000"
              "01000000"
              "70"
              "64617461");
    EXPECT_EQ(hex(encode(cluster::CutTo{stored().before})),
              "04"
              "0100000000000000"
              "0200000000000000"
              "0300000000000000");
    EXPECT_EQ(hex(encode(cluster::RemoveCopy{})), "05");
    EXPECT_EQ(kBatchHeaderBytes, encode(stored()).size() - 5);
}

TEST(ReplicaStoreRecord, WhatWasWrittenIsRead) {
    for (const Record& record :
         {Record(Identity{1, 2, 3}), Record(cluster::PromiseEpoch{cluster::Epoch{9}}),
          Record(stored()), Record(cluster::CutTo{stored().before}),
          Record(cluster::RemoveCopy{})}) {
        const Result<Record> read = decode(as_bytes(encode(record)));
        ASSERT_TRUE(read);
        EXPECT_EQ(*read, record);
    }
}

TEST(ReplicaStoreRecord, OtherBytesAreRefused) {
    EXPECT_EQ(decode({}).error().code, Errc::kCorruption);
    const std::string unknown(1, '\x09');
    EXPECT_FALSE(decode(as_bytes(unknown)));
    for (const Record& record : {Record(Identity{1, 2, 3}), Record(cluster::RemoveCopy{}),
                                 Record(cluster::CutTo{stored().before})}) {
        const std::string bytes = encode(record);
        EXPECT_FALSE(decode(as_bytes(bytes + "x")));
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(decode(as_bytes(bytes.substr(0, size)))) << size;
        }
    }
    std::string other_version = encode(Identity{1, 2, 3});
    other_version[1] = 2;
    EXPECT_FALSE(decode(as_bytes(other_version)));
    const std::string whole = encode(stored());
    for (std::size_t size = 0; size < kBatchHeaderBytes + 1; ++size) {
        EXPECT_FALSE(decode(as_bytes(whole.substr(0, size)))) << size;
    }
}

}  // namespace
}  // namespace walrus::replica_store
