// One run of a build's job, stage by stage.
#pragma once

#include <memory>
#include <string>

#include "build/buildah.h"
#include "build/git.h"
#include "build/runner.h"
#include "build/sandbox.h"

namespace wharfage::build {

class Attempt {
 public:
  Attempt(Runner& runner, job::Run& run, Record record)
      : x_runner(runner), x_run(run), x_record(std::move(record)) {}
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  Status run();

 private:
  Status stages();
  Status clone();
  Status build();
  Status push();
  Status verify();
  Status finish();
  // Ends everything that lives outside the database.
  void clean_up(bool keep_layers);
  Status give_login();
  void revoke();
  Status explain(Error error);
  Status stop();
  Progressing progressing();
  ImageBuild image() const;

  Runner& x_runner;
  job::Run& x_run;
  Record x_record;
  Source x_source;
  registry::Repository x_repository;
  std::unique_ptr<Stores::Lease> x_lease;
  std::unique_ptr<Sandbox> x_sandbox;
  std::string x_stage{stage::clone};
  std::string x_step;
  std::int64_t x_deadline_ms = 0, x_looked_at = 0;
  bool x_clean = false;  // buildah has ended by itself: its store is whole
};

}  // namespace wharfage::build
