// Workspace: the directories of one run, and the device under them.
#pragma once

#include <string>

#include "harness/metrics/block_device.h"
#include "walrus/base/result.h"

namespace walrus::harness {

// The bundle (kept) and the data directory (gone after the run, unless it was there before).
// Used by one thread.
class Workspace {
public:
    // Makes both; `data` == "": inside the bundle.  `run_name` is part of every directory made in
    // `data`, so that leftovers of another run are never opened.  kAlreadyExists: `bundle` holds a
    // result already.
    static Result<Workspace> create(const std::string& bundle, const std::string& data,
                                    const std::string& run_name);

    const std::string& bundle() const { return bundle_; }
    const std::string& data() const { return data_; }
    const BlockDevice& device() const { return device_; }
    std::string log_path(const std::string& name) const { return bundle_ + "/logs/" + name; }

    // A new, empty directory for one job.
    Result<std::string> make_directory(const std::string& name) const;
    // Removes it and waits until the device has nothing left to do.
    void remove_directory(const std::string& directory) const;
    // Removes the data directory when this run made it and nothing is in it.
    void close() const;

private:
    // Lets the device finish what the last job left: journal, discards, write-back.
    void settle() const;

    std::string bundle_;
    std::string data_;
    std::string run_name_;
    bool made_data_ = false;
    BlockDevice device_;
};

}  // namespace walrus::harness
