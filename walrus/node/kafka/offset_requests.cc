// ListOffsets, OffsetForLeaderEpoch, DeleteRecords: where a partition begins and ends.
#include "walrus/node/kafka/errors.h"
#include "walrus/node/kafka/requests.h"
#include "walrus/node/kafka/waiting_answer.h"
#include "walrus/protocol/record_reader.h"

namespace walrus::node::kafka {

using namespace protocol::kafka;

namespace {

enum : std::int64_t { kLatest = -1, kEarliest = -2 };

std::int64_t number(Offset offset) {
    return static_cast<std::int64_t>(offset.value);
}

struct TimedOffset {
    std::int64_t offset = -1;
    std::int64_t timestamp = -1;
};

// The first record at or after the time in what was read: whole batches, of which the first has
// one.  kCorruption, kTooLarge: a batch cannot be read.
Result<TimedOffset> first_record_at(const broker::FetchedBatches& batches, std::int64_t time) {
    for (const Bytes piece : batches.pieces) {
        for (Bytes left = piece; !left.empty();) {
            const auto batch = protocol::RecordBatchView::parse(left);
            if (!batch) return batch.error();
            left = left.subspan(batch->size_bytes());
            if (batch->max_timestamp() < time) continue;
            auto reader = protocol::RecordReader::open(*batch);
            if (!reader) return reader.error();
            protocol::Record record;
            for (;;) {
                const Result<bool> more = reader->next(record);
                if (!more) return more.error();
                if (!*more) break;
                if (record.timestamp_ms >= time)
                    return TimedOffset{record.offset, record.timestamp_ms};
            }
        }
    }
    return TimedOffset{};
}

using ListOffsetsAnswer = std::shared_ptr<WaitingAnswer<ListOffsetsResponse>>;

struct ListedPlace {
    ListOffsetsAnswer answer;
    std::size_t topic;
    std::size_t partition;

    void fill(ErrorCode error, TimedOffset found) const {
        ListOffsetsPartitionResponse& part = answer->response.topics[topic].partitions[partition];
        part.error = error;
        part.timestamp = found.timestamp;
        part.offset = found.offset;
        if (error == ErrorCode::kNone && found.offset >= 0) part.old_style_offsets = {found.offset};
    }
};

void find_time(broker::Partition& partition, std::int64_t time, const ListedPlace& place) {
    partition.offset_at(time, [&partition, time, place](const Result<Offset>& found) {
        if (!found) return place.fill(read_error(found.error()), {});
        // The end of the log is no record; Kafka says that there is none.
        if (*found >= partition.info().high_watermark) return place.fill(ErrorCode::kNone, {});
        partition.fetch(*found, 1, [time, place](const broker::FetchedBatches& batches) {
            if (!batches.status) return place.fill(read_error(batches.status), {});
            const Result<TimedOffset> record = first_record_at(batches, time);
            if (!record) return place.fill(read_error(record.error()), {});
            place.fill(ErrorCode::kNone, *record);
        });
    });
}

void list_one(const Context& context, const std::string& topic, const ListOffsetsPartition& asked,
              const ListedPlace& place) {
    broker::Partition* partition = context.broker.find(topic, asked.index);
    if (partition == nullptr) return place.fill(ErrorCode::kUnknownTopicOrPartition, {});
    const broker::PartitionInfo info = partition->info();
    const ErrorCode epoch = epoch_error(asked.current_leader_epoch, info.leader_epoch);
    if (epoch != ErrorCode::kNone) return place.fill(epoch, {});
    place.answer->response.topics[place.topic].partitions[place.partition].leader_epoch =
        info.leader_epoch;
    if (asked.timestamp == kLatest) {
        place.fill(ErrorCode::kRequestTimedOut, {});  // Should nobody ever say.
        return partition->end_offset([place](const Result<Offset>& end) {
            if (!end) return place.fill(read_error(end.error()), {});
            place.fill(ErrorCode::kNone, {.offset = number(*end)});
        });
    }
    if (asked.timestamp == kEarliest)
        return place.fill(ErrorCode::kNone, {.offset = number(info.log_start_offset)});
    if (asked.timestamp < 0) return place.fill(ErrorCode::kInvalidRequest, {});
    place.fill(ErrorCode::kRequestTimedOut, {});  // Should nobody ever say.
    find_time(*partition, asked.timestamp, place);
}

}  // namespace

void handle(const Context& context, ListOffsetsRequest request, Call call) {
    auto answer = make_waiting_answer<ListOffsetsResponse>(std::move(call));
    answer->response.topics.resize(request.topics.size());
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
        const ListOffsetsTopic& asked = request.topics[t];
        ListOffsetsTopicResponse& topic = answer->response.topics[t];
        topic.name = asked.name;
        topic.partitions.resize(asked.partitions.size());
        for (std::size_t p = 0; p < asked.partitions.size(); ++p)
            topic.partitions[p].index = asked.partitions[p].index;
        for (std::size_t p = 0; p < asked.partitions.size(); ++p)
            list_one(context, asked.name, asked.partitions[p], {answer, t, p});
    }
}

// An older epoch ended where the present one's log goes on: no record that a client was given is
// ever taken back, so there is nothing that it must forget.
void handle(const Context& context, OffsetForLeaderEpochRequest request, Call call) {
    OffsetForLeaderEpochResponse response;
    for (const EpochTopic& asked : request.topics) {
        EpochTopicResponse& topic = response.topics.emplace_back();
        topic.name = asked.name;
        for (const EpochPartition& part : asked.partitions) {
            EpochEndOffset& end = topic.partitions.emplace_back();
            end.index = part.index;
            const broker::Partition* partition = context.broker.find(asked.name, part.index);
            if (partition == nullptr) {
                end.error = ErrorCode::kUnknownTopicOrPartition;
                continue;
            }
            const broker::PartitionInfo info = partition->info();
            end.error = epoch_error(part.current_leader_epoch, info.leader_epoch);
            if (end.error != ErrorCode::kNone || part.leader_epoch > info.leader_epoch) continue;
            end.leader_epoch = part.leader_epoch;
            end.end_offset = number(info.high_watermark);
        }
    }
    call.answer(response);
}

void handle(const Context& context, DeleteRecordsRequest request, Call call) {
    auto answer = make_waiting_answer<DeleteRecordsResponse>(std::move(call));
    answer->response.topics.resize(request.topics.size());
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
        const DeleteRecordsTopic& asked = request.topics[t];
        answer->response.topics[t].name = asked.name;
        answer->response.topics[t].partitions.resize(asked.partitions.size());
        for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
            DeleteRecordsPartitionResponse& part = answer->response.topics[t].partitions[p];
            part.index = asked.partitions[p].index;
            broker::Partition* partition = context.broker.find(asked.name, part.index);
            if (partition == nullptr) {
                part.error = ErrorCode::kUnknownTopicOrPartition;
                continue;
            }
            const std::int64_t end = number(partition->info().high_watermark);
            const std::int64_t keep = asked.partitions[p].offset;
            if (keep < -1 || keep > end) {
                part.error = ErrorCode::kOffsetOutOfRange;
                continue;
            }
            part.error = ErrorCode::kRequestTimedOut;  // Should nobody ever say.
            const auto first = Offset{static_cast<std::uint64_t>(keep == -1 ? end : keep)};
            partition->delete_records(first, [answer, partition, t, p](const Status& status) {
                DeleteRecordsPartitionResponse& done = answer->response.topics[t].partitions[p];
                done.error = read_error(status);
                if (status) done.low_watermark = number(partition->info().log_start_offset);
            });
        }
    }
}

}  // namespace walrus::node::kafka
