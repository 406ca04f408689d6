// RaftScript: a small command language over TestCluster, for testdata/*.txt.
//
// A file is a list of blocks: commands one per line, a line "----", the output, an empty line.
// Lines that begin with '#' before a block are comments.  Commands:
//
//   add-nodes N [joiners=N] [option=N ...]   a new cluster; options as in options.h
//   campaign ID | tick ID [N] | tick-all N | elect-any
//   deliver | deliver-once | wire | drop-wire    the messages under way
//   propose ID TEXT | read ID READ | transfer ID TO | snapshot ID
//   conf-change ID [add-voter=N] [add-learner=N] [remove=N] [joint] [explicit]   none: leave joint
//   isolate ID | cut FROM TO | heal | hold-disk ID | release-disk ID | crash ID | restart ID
//   status [ID] | log ID | progress ID | reads ID | applied ID
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "walrus/raft/test_cluster.h"

namespace walrus::raft {

std::string to_text(const Message& message);

class RaftScript {
public:
    // Runs the blocks of `text` and returns it with the outputs that were seen.
    std::string run(const std::string& text);

private:
    using Words = std::vector<std::string>;

    std::string command(const std::string& line);
    std::string cluster_command(const Words& words);
    std::string node_command(const Words& words);
    std::string report(const Words& words);
    void add_nodes(const Words& words);
    std::string conf_change(const Words& words);

    std::unique_ptr<TestCluster> cluster_;
};

}  // namespace walrus::raft
