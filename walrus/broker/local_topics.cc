// Changes of topics, and producer ids.
#include <algorithm>

#include "walrus/base/log.h"
#include "walrus/broker/local_broker_impl.h"

namespace walrus::broker {
namespace {

constexpr std::uint64_t kProducerIdsAtOnce = 1000;

bool sets_retention(const StoredTopic& topic) {
    return std::ranges::any_of(topic.configs, [](const StoredConfig& config) {
        return config.name.starts_with("retention.");
    });
}

std::vector<StoredConfig> stored_configs(const std::vector<ConfigEntry>& configs) {
    std::vector<StoredConfig> stored;
    for (const ConfigEntry& entry : configs)
        if (!entry.is_default) stored.push_back({entry.name, entry.value});
    return stored;
}

// Where a topic's records are follows from its durability, so it is written down: a topic keeps the
// one that it was made with, whatever the default is at the next start.
std::vector<ConfigEntry> with_durability(const std::vector<ConfigEntry>& configs,
                                         wal::DurabilityClass durability) {
    return merge_configs(
        configs, {{"walrus.durability", std::string(wal::durability_class_name(durability))}});
}

std::vector<std::string> log_topics(const StoredTopic& topic) {
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < topic.partitions; ++i)
        names.push_back(log_topic_name(topic.id, i, topic.name));
    return names;
}

Status set_retention(wal::Wal& wal, const StoredTopic& topic, const wal::Retention& retention) {
    for (const std::string& name : log_topics(topic))
        WALRUS_RETURN_IF_ERROR(wal.set_retention(name, retention));
    return {};
}

}  // namespace

// A topic on its way into being; belongs to the worker while that is busy with it.
struct LocalBrokerImpl::Creation {
    StoredTopic stored;
    TopicConfig config;
    wal::Wal* wal = nullptr;           // Of its class, or null:
    std::unique_ptr<wal::Wal> opened;  // then it is opened.
};

// --- one after the other ---

void LocalBrokerImpl::change(std::function<void()> begin) {
    changes_.push_back(std::move(begin));
    if (changing_) return;
    end_change();
}

void LocalBrokerImpl::end_change() {
    changing_ = false;
    while (!changing_ && !changes_.empty()) {
        const std::function<void()> begin = std::move(changes_.front());
        changes_.pop_front();
        begin();
    }
}

void LocalBrokerImpl::on_worker(std::function<Status()> job, std::function<void(Status)> then) {
    changing_ = true;
    core_.pool.run([job = std::move(job), then = std::move(then), inbox = core_.inbox] {
        inbox->put([status = job(), then] { then(status); });
    });
}

// --- creating ---

std::vector<ConfigEntry> LocalBrokerImpl::configs_of(const StoredTopic& stored) const {
    std::vector<ConfigEntry> configs;
    for (const StoredConfig& config : stored.configs)
        configs.push_back({config.name, config.value, false});
    return configs;
}

LocalBrokerImpl::Topic LocalBrokerImpl::make_topic(const StoredTopic& stored, BrokerLog& log) {
    Topic topic{stored, defaults_.effective(configs_of(stored)), {}};
    const std::vector<std::string> names = log_topics(stored);
    for (std::uint32_t i = 0; i < stored.partitions; ++i) {
        topic.partitions.push_back(std::make_unique<LocalPartition>(
            core_, log, PartitionPlace{stored.id, static_cast<std::int32_t>(i), names[i]}));
        topic.partitions.back()->configure(topic.config);
    }
    return topic;
}

Status LocalBrokerImpl::check_new(const TopicSpec& spec) const {
    if (core_.closed) return broker_closed();
    WALRUS_RETURN_IF_ERROR(check_topic_name(spec.name));
    if (topics_.contains(spec.name))
        return Error{Errc::kAlreadyExists, "topic " + spec.name + ": exists already"};
    if (spec.partitions == 0)
        return Error{Errc::kInvalidArgument, "topic " + spec.name + ": needs a partition"};
    if (spec.replication_factor > 1)
        return Error{Errc::kInvalidArgument, "topic " + spec.name + ": replication factor " +
                                                 std::to_string(spec.replication_factor) +
                                                 ", but there is one broker"};
    WALRUS_RETURN_IF_ERROR(defaults_.check(spec.configs));
    if (topics_.size() >= core_.options.max_topics ||
        partition_count_ + spec.partitions > core_.options.max_partitions)
        return Error{Errc::kResourceExhausted,
                     "topic " + spec.name + ": there are " + std::to_string(topics_.size()) +
                         " topics with " + std::to_string(partition_count_) +
                         " partitions already; raise max_topics or max_partitions"};
    return {};
}

void LocalBrokerImpl::create_topic(TopicSpec spec, bool validate_only, StatusCallback done) {
    change([this, spec = std::move(spec), validate_only, done = std::move(done)] {
        const Status checked = check_new(spec);
        if (!checked || validate_only) return done(checked);
        begin_creation(spec, done);
    });
}

void LocalBrokerImpl::begin_creation(const TopicSpec& spec, const StatusCallback& done) {
    const auto creation = std::make_shared<Creation>();
    const std::vector<ConfigEntry> asked = merge_configs({}, spec.configs);
    const std::vector<ConfigEntry> configs =
        with_durability(asked, defaults_.effective(asked).durability);
    creation->stored = {catalogue_->next_topic_id(), spec.name, spec.partitions,
                        stored_configs(configs)};
    creation->config = defaults_.effective(configs);
    if (const auto& log = log_of(creation->config.durability)) creation->wal = log->wal.get();
    on_worker([this, creation] { return create_on_worker(*creation); },
              [this, creation, done](Status status) {
                  if (creation->opened != nullptr) install_log(*creation);
                  if (status) install_topic(*creation);
                  done(std::move(status));
                  end_change();
              });
}

// The partitions first: what the catalogue does not know is dropped by the next opening.
Status LocalBrokerImpl::create_on_worker(Creation& creation) {
    if (creation.wal == nullptr) {
        Result<std::unique_ptr<wal::Wal>> opened = open_log(creation.config.durability);
        if (!opened) return std::move(opened).error();
        creation.opened = std::move(*opened);
        creation.wal = creation.opened.get();
    }
    for (const std::string& name : log_topics(creation.stored))
        WALRUS_RETURN_IF_ERROR(creation.wal->create_topic(name));
    if (sets_retention(creation.stored))
        WALRUS_RETURN_IF_ERROR(
            set_retention(*creation.wal, creation.stored, creation.config.retention));
    return catalogue_->put(creation.stored);
}

// The log stays open even if the topic could not be made.
void LocalBrokerImpl::install_log(Creation& creation) {
    auto log = std::make_unique<BrokerLog>();
    log->durability = creation.config.durability;
    log->wal = std::move(creation.opened);
    start_driving(*log);
    log_of(creation.config.durability) = std::move(log);
}

void LocalBrokerImpl::install_topic(const Creation& creation) {
    partition_count_ += creation.stored.partitions;
    topics_.emplace(creation.stored.name,
                    make_topic(creation.stored, *log_of(creation.config.durability)));
}

// --- deleting ---

void LocalBrokerImpl::delete_topic(std::string_view topic, StatusCallback done) {
    change([this, name = std::string(topic), done = std::move(done)] {
        if (core_.closed) return done(broker_closed());
        if (!topics_.contains(name)) return done(Error{Errc::kNotFound, "topic " + name});
        begin_deletion(name, done);
    });
}

// The catalogue first, then nobody appends any more, then the data goes.
void LocalBrokerImpl::begin_deletion(const std::string& name, const StatusCallback& done) {
    const StoredTopic stored = topics_.find(name)->second.stored;
    on_worker([this, stored] { return catalogue_->remove(stored.id); },
              [this, stored, done](Status status) {
                  if (!status) {
                      done(std::move(status));
                      return end_change();
                  }
                  auto gone = topics_.extract(stored.name);
                  wal::Wal* wal = log_of(gone.mapped().config.durability)->wal.get();
                  partition_count_ -= stored.partitions;
                  for (auto& partition : gone.mapped().partitions) {
                      partition->retire();
                      retired_.push_back(std::move(partition));
                  }
                  done({});
                  if (core_.closed) return end_change();
                  on_worker(
                      [stored, wal]() -> Status {
                          for (const std::string& topic : log_topics(stored))
                              WALRUS_RETURN_IF_ERROR(wal->delete_topic(topic));
                          return {};
                      },
                      [this](const Status& dropped) {
                          if (!dropped)
                              log(LogLevel::kWarn,
                                  "broker: data of a deleted topic stays until "
                                  "the next start: " +
                                      dropped.error().to_string());
                          end_change();
                      });
              });
}

// --- configuring ---

void LocalBrokerImpl::set_configs(std::string_view topic, std::vector<ConfigEntry> configs,
                                  StatusCallback done) {
    change([this, name = std::string(topic), configs = std::move(configs), done = std::move(done)] {
        if (core_.closed) return done(broker_closed());
        if (!topics_.contains(name)) return done(Error{Errc::kNotFound, "topic " + name});
        if (Status checked = defaults_.check(configs); !checked) return done(std::move(checked));
        begin_configuration(name, configs, done);
    });
}

void LocalBrokerImpl::begin_configuration(const std::string& name,
                                          const std::vector<ConfigEntry>& changes,
                                          const StatusCallback& done) {
    const Topic& topic = topics_.find(name)->second;
    StoredTopic stored = topic.stored;
    const std::vector<ConfigEntry> configs = merge_configs(configs_of(stored), changes);
    const TopicConfig config = defaults_.effective(configs);
    if (config.durability != topic.config.durability)
        return done(Error{Errc::kInvalidArgument,
                          "topic " + name + ": its durability is " +
                              std::string(wal::durability_class_name(topic.config.durability)) +
                              " and cannot become " +
                              std::string(wal::durability_class_name(config.durability)) +
                              "; create another topic with that durability and copy its records"});
    stored.configs = stored_configs(with_durability(configs, config.durability));
    wal::Wal* wal = log_of(config.durability)->wal.get();
    const auto job = [this, stored, config, wal,
                      before = sets_retention(topic.stored)]() -> Status {
        // In the order in which reapply_retention() mends what a crash leaves between the two.
        const bool after = sets_retention(stored);
        if (before && !after) WALRUS_RETURN_IF_ERROR(set_retention(*wal, stored, config.retention));
        WALRUS_RETURN_IF_ERROR(catalogue_->put(stored));
        return after ? set_retention(*wal, stored, config.retention) : Status{};
    };
    on_worker(job, [this, stored, config, done](Status status) {
        if (status) {
            Topic& changed = topics_.find(stored.name)->second;
            changed.stored = stored;
            changed.config = config;
            for (const auto& partition : changed.partitions) partition->configure(config);
        }
        done(std::move(status));
        end_change();
    });
}

void LocalBrokerImpl::reapply_retention() {
    std::vector<std::pair<StoredTopic, wal::Retention>> topics;
    std::vector<wal::Wal*> wals;
    for (const auto& [name, topic] : topics_) {
        if (!sets_retention(topic.stored)) continue;
        topics.emplace_back(topic.stored, topic.config.retention);
        wals.push_back(log_of(topic.config.durability)->wal.get());
    }
    if (topics.empty()) return;
    change([this, topics = std::move(topics), wals = std::move(wals)] {
        on_worker(
            [topics, wals]() -> Status {
                for (std::size_t i = 0; i < topics.size(); ++i)
                    WALRUS_RETURN_IF_ERROR(
                        set_retention(*wals[i], topics[i].first, topics[i].second));
                return {};
            },
            [this](const Status& set) {
                if (!set) log(LogLevel::kWarn, "broker: retention: " + set.error().to_string());
                end_change();
            });
    });
}

// --- producer ids ---

void LocalBrokerImpl::new_producer_id(std::function<void(Result<std::int64_t>)> done) {
    if (core_.closed) return done(broker_closed());
    if (next_producer_id_ < producer_ids_end_)
        return done(static_cast<std::int64_t>(next_producer_id_++));
    change([this, done = std::move(done)] {
        if (core_.closed) return done(broker_closed());
        if (next_producer_id_ < producer_ids_end_)
            return done(static_cast<std::int64_t>(next_producer_id_++));
        const std::uint64_t end = producer_ids_end_ + kProducerIdsAtOnce;
        on_worker([this, end] { return catalogue_->reserve_producer_ids(end); },
                  [this, end, done](const Status& reserved) {
                      if (reserved) producer_ids_end_ = end;
                      if (reserved) {
                          done(static_cast<std::int64_t>(next_producer_id_++));
                      } else {
                          done(reserved.error());
                      }
                      end_change();
                  });
    });
}

}  // namespace walrus::broker
