// A LocalBroker on a real loop and a real disk: there the loop itself writes the log of class disk.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <vector>

#include "walrus/broker/test_broker.h"
#include "walrus/testing/loop_thread.h"

namespace walrus::broker {
namespace {

constexpr const char* kDirectory = "local_broker_loop_test_data";

class LocalBrokerLoopTest : public ::testing::Test {
protected:
    LocalBrokerLoopTest() { std::filesystem::remove_all(kDirectory); }
    ~LocalBrokerLoopTest() override {
        drop();
        thread_.stop();
        std::filesystem::remove_all(kDirectory);
    }

    void open() {
        thread_.run([this] {
            LocalBrokerOptions options;
            options.data_dir = kDirectory;
            options.file_size = options.ring_size = 1 << 20;
            auto broker = LocalBroker::open(options, thread_.loop());
            ASSERT_TRUE(broker) << broker.error().to_string();
            broker_ = std::move(*broker);
        });
    }
    void drop() {
        thread_.run([this] { broker_.reset(); });
    }
    void create_topic() {
        std::promise<Status> created;
        thread_.run([&] {
            broker_->create_topic({"t", 1, 1, {}}, false,
                                  [&](const Status& status) { created.set_value(status); });
        });
        ASSERT_TRUE(created.get_future().get());
    }

    // Appends `count` batches, `window` of them at once, each in answer to an acknowledgement.
    struct Load {
        LocalBrokerLoopTest* test = nullptr;
        std::uint64_t count = 0;
        std::uint64_t sent = 0;
        std::vector<std::uint64_t> offsets;
        std::uint64_t refused = 0;
        std::promise<void> done;

        void send() {
            const std::string batch = make_batch("batch " + std::to_string(sent++) + " ", 2);
            test->broker_->find("t", 0)->append(as_bytes(batch), Acks::kAll,
                                                {&Load::on_answer, this});
        }
        static void on_answer(void* context, const AppendResult& result) {
            auto& load = *static_cast<Load*>(context);
            if (result.outcome == AppendOutcome::kAppended)
                load.offsets.push_back(result.base_offset.value);
            else
                ++load.refused;
            if (load.sent < load.count) load.send();
            if (load.offsets.size() + load.refused == load.count) load.done.set_value();
        }
    };
    void start(Load& load, std::uint64_t count, std::uint64_t window) {
        load.test = this;
        load.count = count;
        thread_.run([&] {
            for (std::uint64_t i = 0; i < window; ++i) load.send();
        });
    }
    Offset high_watermark() {
        return thread_.run([this] { return broker_->find("t", 0)->info().high_watermark; });
    }

    testing::LoopThread thread_;
    std::unique_ptr<LocalBroker> broker_;
};

TEST_F(LocalBrokerLoopTest, AcknowledgesInOrderAndKeepsWhatItAcknowledged) {
    open();
    create_topic();
    for (const std::uint64_t window : {1, 16}) {
        Load load;
        start(load, 500, window);
        load.done.get_future().get();
        EXPECT_EQ(load.refused, 0U);
        EXPECT_TRUE(std::is_sorted(load.offsets.begin(), load.offsets.end()));
    }
    EXPECT_EQ(high_watermark(), Offset{2'000});
    drop();
    open();
    EXPECT_EQ(high_watermark(), Offset{2'000});
}

TEST_F(LocalBrokerLoopTest, TopicsComeAndGoWhileItWrites) {
    open();
    create_topic();
    Load load;
    start(load, 2'000, 8);
    for (int i = 0; i < 20; ++i) {
        std::promise<Status> gone;
        thread_.run([&] {
            broker_->create_topic({"side", 3, 1, {}}, false, [](const Status&) {});
            broker_->delete_topic("side", [&](const Status& status) { gone.set_value(status); });
        });
        EXPECT_TRUE(gone.get_future().get());
    }
    load.done.get_future().get();
    EXPECT_EQ(load.refused, 0U);
    EXPECT_EQ(high_watermark(), Offset{4'000});
}

TEST_F(LocalBrokerLoopTest, ClosingAnswersWhatIsInFlight) {
    open();
    create_topic();
    Load load;
    start(load, 100, 100);
    thread_.run([this] { ASSERT_TRUE(broker_->close()); });
    load.done.get_future().get();
    const std::uint64_t kept = load.offsets.size();
    drop();
    open();
    EXPECT_EQ(high_watermark(), Offset{2 * kept});
}

}  // namespace
}  // namespace walrus::broker
