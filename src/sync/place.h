// One repository, here or elsewhere, as the copy engine sees it. One of the two places of a copy is always
// ours, so bytes either come from our files or go into them. Objects belong to one job and one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "blob/store.h"
#include "crypto/digest.h"
#include "registry/registry.h"
#include "remote/registry_client.h"

namespace wharfage::sync {

struct Document {
  std::string digest, media_type, bytes;
  std::string subject;  // "" without one
};

// Told after each piece of a blob; an error stops the transfer.
using Moved = std::function<Status(std::int64_t bytes)>;

class Place {
 public:
  virtual ~Place() = default;

  // Nullopt: it is not there.
  virtual Result<std::optional<Document>> find(const std::string& reference) = 0;
  // A tag may name what is damaged, and is taken all the same; a digest is there only when its bytes are.
  virtual Result<std::optional<std::string>> find_digest(const std::string& reference) = 0;
  virtual Result<std::vector<std::string>> referrers(const Digest& digest) = 0;

  // ---- as a source: the open file where it is ours, else a stream
  virtual Result<blob::Blob> open_blob(const Digest& digest) = 0;
  virtual Status read_blob(const Digest& digest, std::function<Status(std::string_view)> sink) = 0;
  virtual const registry::Repository* ours() const = 0;  // nullptr: elsewhere

  // ---- as a target
  virtual Result<bool> has_blob(const Digest& digest) = 0;
  // Without sending bytes, from where the target is known to have it. False: they must be sent.
  virtual Result<bool> mount_blob(const Digest& digest, Place& source) = 0;
  virtual Status write_blob(const Digest& digest, std::int64_t size, Place& source, const Moved& moved) = 0;
  virtual Status put(const std::string& reference, const Document& document) = 0;
};

std::unique_ptr<Place> place_here(registry::Registry& registry, registry::Repository repository);

// `where` tells a repository over there that has a blob, or "".
std::unique_ptr<Place> place_elsewhere(std::unique_ptr<remote::RegistryClient> client, std::string repository,
                                       std::function<Result<std::string>(const Digest&)> where);

}  // namespace wharfage::sync
