// One run of the load client as its command line describes it, and what its threads share. The thread that
// runs `main` owns it; workers only read it, except for the counters.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "load/connection.h"
#include "load/tally.h"

namespace bench {

struct Job {
  Target target;
  std::string mode;  // fetch, push, pull
  int connections = 1;
  std::int64_t operations = 0;  // in all; 0: until `seconds` are over
  double seconds = 0;           // 0: until `operations` are done
  std::string method = "GET";
  std::vector<std::string> paths;  // fetch: taken in turn
  std::int64_t range = 0, of = 0;  // fetch: bytes per range, of how many
  std::string repository = "bench/one";
  bool many = false;                      // each push goes to a repository of its own
  bool same = false;                      // each push brings the same layer (as zb does)
  bool sparse = false;                    // layers are zb's: noise, then zeros
  bool streamed = false;                  // POST, PATCH, PUT instead of POST, PUT
  bool bare = false;                      // push: the layer alone, no config and no manifest
  std::int64_t images = 0;                // how many different ones; 0: as many as operations
  std::vector<std::int64_t> sizes{1024};  // of layers, taken in turn
  std::uint64_t seed = 0;

  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> next = 0;  // number of the next operation
};

// One thread's work: all operations it can get. Returns when there are none left or the job was stopped.
using Work = std::function<void(Tally&)>;
// Made, with everything prepared, before the clock starts. None: the job cannot be done, and stderr says why.
Work make_fetch(Job& job);
Work make_push(Job& job);
Work make_pull(Job& job);

// The number of the operation to do next, or -1.
inline std::int64_t take(Job& job) {
  if (job.stop) return -1;
  std::int64_t number = job.next++;
  return job.operations > 0 && number >= job.operations ? -1 : number;
}

}  // namespace bench
