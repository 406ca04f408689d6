// What each command does to the state.  Private to cluster_state.cc.
//
// Each checks everything first and changes the state only when it returns kApplied.
#pragma once

#include "walrus/cluster/cluster_state.h"
#include "walrus/cluster/command.h"

namespace walrus::cluster {

CommandResult apply_body(ClusterData& data, Index index, const UpsertNode& command);
CommandResult apply_body(ClusterData& data, Index index, const SetNodeState& command);
CommandResult apply_body(ClusterData& data, Index index, const CreateTopic& command);
CommandResult apply_body(ClusterData& data, Index index, const UpdateTopic& command);
CommandResult apply_body(ClusterData& data, Index index, const DeleteTopic& command);
CommandResult apply_body(ClusterData& data, Index index, const SealAndOpen& command);
CommandResult apply_body(ClusterData& data, Index index, const BeginSeal& command);
CommandResult apply_body(ClusterData& data, Index index, const Seal& command);
CommandResult apply_body(ClusterData& data, Index index, const UncleanSeal& command);
CommandResult apply_body(ClusterData& data, Index index, const OpenSegment& command);
CommandResult apply_body(ClusterData& data, Index index, const ChangeReplicas& command);
CommandResult apply_body(ClusterData& data, Index index, const DropSegments& command);
CommandResult apply_body(ClusterData& data, Index index, const AcquireCursor& command);
CommandResult apply_body(ClusterData& data, Index index, const CommitCursors& command);
CommandResult apply_body(ClusterData& data, Index index, const DeleteCursor& command);
CommandResult apply_body(ClusterData& data, Index index, const InitProducer& command);
CommandResult apply_body(ClusterData& data, Index index, const ExpireProducers& command);

inline CommandResult rejected(Outcome outcome) {
    return {.outcome = outcome};
}

Topic* find_topic(ClusterData& data, TopicId id);
// kApplied: the segment may open after `base`, with the ack quorum in `ack_quorum`.
Outcome check_next(const ClusterData& data, const TopicConfig& config, const NextSegment& next);
// After check_next().
Segment make_segment(const TopicConfig& config, SegmentNumber number, Offset base,
                     const NextSegment& next, Index index);

}  // namespace walrus::cluster
