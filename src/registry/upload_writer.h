// The writer of an upload that open_upload() gives out: the store's, held against what the namespace may
// still take. What that is was looked up when the upload was opened, so a chunk costs no question to the
// database. Not thread-safe; must not outlive the registry.
#pragma once

#include <memory>
#include <string>

#include "registry/state.h"

namespace wharfage::registry {

class MeasuredWriter final : public UploadWriter {
 public:
  MeasuredWriter(Registry::State& state, Repository repository, std::string id, Registry::State::Room room,
                 std::unique_ptr<blob::Writer> writer);
  ~MeasuredWriter() override;

  std::int64_t size() const override { return x_writer->size(); }
  Status append(std::string_view bytes) override;
  Status flush() override { return x_writer->flush(); }
  Status commit(const Digest& expected) override { return x_writer->commit(expected); }
  Status expect(std::int64_t bytes) override;
  Status check_there() override;

 private:
  Status refuse(const Error& why);
  bool has_lost_file() const;
  UploadBytes::Verdict grow(std::int64_t by);

  Registry::State& x_state;
  const Repository x_repository;
  const std::string x_id;
  const Registry::State::Room x_room;
  std::unique_ptr<blob::Writer> x_writer;
};

}  // namespace wharfage::registry
