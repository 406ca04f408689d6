#include "harness/driver/null_driver.h"

#include <utility>

#include "harness/driver/settings.h"

namespace walrus::harness {
namespace {

class NullProducer final : public Producer {
public:
    Status append(std::uint32_t, std::span<const Bytes>) override { return {}; }
    Status append_async(std::uint32_t, std::span<const Bytes>, Completion& completion) override {
        completion.done({});
        return {};
    }
    Status drain() override { return {}; }
};

class NullReader final : public Reader {
public:
    Result<std::uint64_t> read(const std::function<void(Bytes)>&) override {
        return std::uint64_t{0};
    }
};

class NullSystem final : public System {
public:
    Settings effective_config() override { return {}; }
    Status create_topics(std::uint32_t) override { return {}; }
    Result<std::unique_ptr<Producer>> producer(std::uint32_t) override {
        return std::unique_ptr<Producer>(std::make_unique<NullProducer>());
    }
    Result<std::unique_ptr<Reader>> reader(std::uint32_t) override {
        return std::unique_ptr<Reader>(std::make_unique<NullReader>());
    }
    Status stop() override { return {}; }
};

class NullDriver final : public Driver {
public:
    Description describe() const override {
        return {.name = "null",
                .version = "1",
                .summary = "acknowledges and stores nothing: the harness's own ceiling",
                .level = Level::kEngine};
    }
    Result<Capabilities> capabilities(const Settings& settings) const override {
        WALRUS_RETURN_IF_ERROR(SettingsReader(settings).finish());
        return Capabilities{.async_append = true,
                            .read_back = false,
                            .max_topics = 1'000'000,
                            .durabilities = {Durability::kNone}};
    }
    Result<std::unique_ptr<System>> open(const OpenRequest& request) const override {
        WALRUS_RETURN_IF_ERROR(capabilities(request.settings));
        return std::unique_ptr<System>(std::make_unique<NullSystem>());
    }
};

}  // namespace

std::unique_ptr<Driver> make_null_driver() {
    return std::make_unique<NullDriver>();
}

}  // namespace walrus::harness
