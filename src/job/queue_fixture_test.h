// A queue on a database of its own, and what its tests' handlers do: leave a note, and settle by one.
#pragma once

#include "job/fixture_test.h"

namespace wharfage::job {

struct Bench {
  TestFolder folder;
  ManualClock clock;
  std::unique_ptr<meta::Db> db = open_database(folder);
  std::unique_ptr<Queue> queue = make();

  std::unique_ptr<Queue> make(QueueOptions options = {.retry_base_ms = 1000, .poll_ms = 10, .tick_ms = 10}) {
    return std::make_unique<Queue>(*db, clock, quiet(), options);
  }
  Job job(const JobId& id) { return job::find(*db, *queue, id); }
  JobId add(const NewJob& job) { return enqueue(*db, *queue, job); }
  bool reaches(const JobId& id, State state) {
    return eventually([&] { return job(id).state == state; });
  }
};

inline Status note(Run& run, std::string_view text) {
  return run.commit([&](meta::Tx& tx) { return add_effect(tx, run.job().id, text); });
}
inline Settle settling() {
  return [](meta::Tx& tx, const Job& job, const Error& error) {
    CHECK(job.error.find(error.message) != std::string::npos);
    return add_effect(tx, job.id, state_name(job.state));
  };
}

}  // namespace wharfage::job
