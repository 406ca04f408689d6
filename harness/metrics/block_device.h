// BlockDevice: what the kernel counts for the device under a directory.
#pragma once

#include <cstdint>
#include <string>

#include "walrus/base/result.h"

namespace walrus::harness {

// Since boot, by the whole machine.  From /sys/block/<device>/stat.
struct DeviceCounters {
    std::uint64_t reads = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t writes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t discards = 0;
    std::uint64_t flushes = 0;  // Cache flushes the device was told to do (field 16).

    DeviceCounters operator-(const DeviceCounters& earlier) const;
};

class BlockDevice {
public:
    // The device that holds `directory`; invisible (valid() == false) for tmpfs, overlays and
    // network file systems.
    static BlockDevice under(const std::string& directory);

    bool valid() const { return !name_.empty(); }
    const std::string& name() const { return name_; }
    // Zeros when not valid.
    DeviceCounters counters() const;
    // Requests the device is working on right now; discards included.
    std::uint64_t in_flight() const;
    // A file of the device's queue/ folder, e.g. "write_cache"; "unknown" when there is none.
    std::string queue_attribute(const std::string& attribute) const;

private:
    std::string name_;
    std::string sys_path_;  // Of the whole disk, not the partition.
};

}  // namespace walrus::harness
