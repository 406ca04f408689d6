#include "walrus/net/connection_handler.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace walrus::net {
namespace {

// Notes what it is told, in order.
class NotingSink final : public ReplySink {
public:
    void complete(std::uint64_t request, Reply reply, AfterReply after) override {
        notes.push_back(std::to_string(request) + " '" + reply.head + "'" +
                        (after == AfterReply::kClose ? " close" : ""));
    }
    void reserve(std::uint64_t request, std::uint64_t bytes) override {
        notes.push_back(std::to_string(request) + " reserve " + std::to_string(bytes));
    }

    std::vector<std::string> notes;
};

class ReplySlotTest : public testing::Test {
protected:
    std::shared_ptr<NotingSink> sink_ = std::make_shared<NotingSink>();
    using Notes = std::vector<std::string>;
};

TEST_F(ReplySlotTest, TellsTheSinkOnceWhatBecameOfTheRequest) {
    ReplySlot(sink_, 1).send("one");
    ReplySlot(sink_, 2).skip();
    ReplySlot(sink_, 3).close(Reply{.head = "three"});
    ReplySlot later(sink_, 4);
    later.reserve(100);
    later.send("four");
    EXPECT_FALSE(later);
    EXPECT_EQ(sink_->notes,
              (Notes{"1 'one'", "2 ''", "3 'three' close", "4 reserve 100", "4 'four'"}));
}

TEST_F(ReplySlotTest, ThatNobodyUsedClosesTheConnection) {
    { const ReplySlot forgotten(sink_, 1); }
    EXPECT_EQ(sink_->notes, (Notes{"1 '' close"}));
}

TEST_F(ReplySlotTest, MovesWithoutBeingUsed) {
    ReplySlot first(sink_, 1);
    ReplySlot second = std::move(first);
    EXPECT_TRUE(sink_->notes.empty());
    second = ReplySlot(sink_, 2);  // The first was not answered.
    second.send("two");
    EXPECT_EQ(sink_->notes, (Notes{"1 '' close", "2 'two'"}));
}

TEST(Reply, CountsAllItsBytes) {
    const std::string piece = "12345";
    const Reply reply{.head = "abc", .pieces = {as_bytes(piece), as_bytes(piece)}};
    EXPECT_EQ(reply.size_bytes(), 13U);
}

}  // namespace
}  // namespace walrus::net
