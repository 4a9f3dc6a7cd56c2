// Copies one image with everything it consists of from one place to another: children before the index, blobs
// before the manifest, the tag last, then what refers to it (cosign's tags and OCI referrers, theirs too).
// What the target has is not sent. Belongs to one job.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "sync/manifest.h"
#include "sync/place.h"

namespace wharfage::sync {

struct Piece {  // one blob of the image
  std::string artifact_digest, digest;
  std::int64_t size = 0;
};

// Whoever keeps the books. An error stops the copy.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Before anything moves: the image's digest, its blobs, and the bytes of blobs and manifests together.
  virtual Status planned(const std::string& digest, const std::vector<Piece>& pieces, std::int64_t bytes) = 0;
  virtual Status moving(const std::string& digest, std::int64_t bytes_so_far) = 0;
  // Blobs and manifests; `sent` 0: the target had it. Accessories' pieces were not planned.
  virtual Status arrived(const std::string& digest, std::int64_t size, std::int64_t sent, bool planned) = 0;
  virtual void say(const std::string& line) = 0;
  virtual Status alive() = 0;  // an error once the copy should end
};

class Copier {
 public:
  Copier(Place& source, Place& target, Watcher& watcher)
      : x_source(source), x_target(target), x_watcher(watcher) {}

  struct Outcome {
    std::string digest;
    bool sent = false;      // false: the target had the image already
    bool verified = false;  // the target names this digest
    int accessories = 0;    // that were looked at
  };
  // References are tags or digests. Errors: manifest_unknown (the source has no such image), tag_immutable
  // (the target's tag is another image and may not be moved), those of the places.
  Result<Outcome> copy(const std::string& from, const std::string& to, bool overwrite);

 private:
  struct Node {  // one manifest of the image, children before parents
    Document document;
    Contents contents;
    std::vector<std::string> children;
  };
  Result<bool> is_whole(const std::optional<std::string>& present, const std::string& digest);
  Result<std::vector<Node>> gather(Document top);
  Status gather_into(std::vector<Node>& nodes, Document document, int depth);
  Status send(const Node& node, const std::string& reference, bool planned);
  Status send_blob(const Descriptor& blob, bool planned);
  Status send_tree(const std::vector<Node>& nodes, const std::string& reference, bool planned);
  Status announce(const std::vector<Node>& nodes);
  Status follow(const std::string& digest, int depth, Outcome& outcome);
  Status carry(const std::string& from, int depth, Outcome& outcome);

  Place& x_source;
  Place& x_target;
  Watcher& x_watcher;
  std::set<std::string> x_present;  // blobs the target is known to have
  std::set<std::string> x_carried;  // accessories that were looked at, by digest
  std::size_t x_manifests = 0;
};

}  // namespace wharfage::sync
