// What the options of a member mean to its parts.
#pragma once

#include <functional>
#include <string>

#include "walrus/member/member.h"
#include "walrus/member/member_file.h"
#include "walrus/member/raft_host.h"
#include "walrus/member/segment_host.h"

namespace walrus::member {

// With the real seams where they are null.
MemberOptions with_real_seams(MemberOptions options);
Status check(const MemberOptions& options);

raft_storage::Options raft_store_options(const MemberOptions& options, std::uint64_t cluster);
replica_store::Options replica_store_options(const MemberOptions& options, std::uint64_t cluster);
raft::Options raft_options(const MemberOptions& options);
cluster::SegmentNodeOptions segment_options(const MemberOptions& options);

// Of a directory without a member file: something else is in there, or stores whose file is lost.
// kAlreadyExists.
Status expect_unused(const MemberOptions& options);
// kNotFound: no member is in the directory.  kInvalidArgument: another node's.
Result<MemberFile> read_made_member(const MemberOptions& options);

}  // namespace walrus::member
