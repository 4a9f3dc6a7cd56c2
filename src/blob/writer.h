// The one writer of an upload's file: appends and hashes in one pass. Holds the upload from open() on and
// gives it back, with its hash state, when it goes. Not thread-safe; must not outlive the store.
#pragma once

#include <memory>
#include <string>

#include "blob/shelves.h"
#include "blob/uploads.h"

namespace wharfage::blob {

class FileWriter final : public Writer {
 public:
  static Result<std::unique_ptr<Writer>> open(Uploads& uploads, Shelves& shelves, const std::string& id,
                                              DigestAlgorithm algorithm, Uploads::Missing missing);
  ~FileWriter() override;

  std::int64_t size() const override { return x_hash.size; }
  Status append(std::string_view bytes) override;
  Status flush() override;
  Status commit(const Digest& expected) override;

 private:
  FileWriter(Uploads& uploads, Shelves& shelves, std::string id, Descriptor file, DigestAlgorithm algorithm)
      : x_uploads(uploads),
        x_shelves(shelves),
        x_id(std::move(id)),
        x_file(std::move(file)),
        x_hash{Hasher(algorithm)} {}

  Status catch_up(DigestAlgorithm algorithm);  // x_hash = the whole file's
  Status sync();
  Status usable() const;

  Uploads& x_uploads;
  Shelves& x_shelves;
  const std::string x_id;
  Descriptor x_file;  // closed once there is nothing left to write to
  HashState x_hash;
  std::int64_t x_handed_on = 0;  // up to here the kernel was asked to start writing
  bool x_named = false;          // the folder entry is on disk
};

}  // namespace wharfage::blob
