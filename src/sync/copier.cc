#include "sync/copier.h"

#include <fmt/format.h>

#include "base/limits.h"

namespace wharfage::sync {
namespace {

constexpr int index_depth_max = 4;  // an index of indexes of …

}  // namespace

Result<Copier::Outcome> Copier::copy(const std::string& from, const std::string& to, bool overwrite) {
  TRY(auto document, x_source.find(from));
  if (!document) return fail(Reason::manifest_unknown, "the source has no image " + from);
  Outcome outcome{.digest = document->digest};
  TRY(auto present, x_target.find_digest(to));
  bool taken = present && *present != document->digest && !overwrite && !registry::is_accessory_tag(to);
  if (taken) {
    return fail(Reason::tag_immutable, fmt::format("the target's {} is another image, {}", to, *present));
  }
  TRY(bool same, is_whole(present, document->digest));
  TRY(auto nodes, gather(*document));
  TRY_STATUS(announce(nodes));
  if (same) {
    x_watcher.say("the target has this image already");
    outcome.verified = true;
  } else {
    TRY_STATUS(send_tree(nodes, to, true));
    outcome.sent = true;
    TRY(auto after, x_target.find_digest(to));
    outcome.verified = after && *after == document->digest;
    if (!outcome.verified)
      return fail(Reason::remote_failed, "the target names another image after the copy");
  }
  for (const Node& node : nodes) TRY_STATUS(follow(node.document.digest, 0, outcome));
  return outcome;
}

// Whether what the target's name stands for is this image. One of ours that the disk has damaged is sent
// again.
Result<bool> Copier::is_whole(const std::optional<std::string>& present, const std::string& digest) {
  if (present != digest) return false;
  if (x_target.ours() == nullptr) return true;
  TRY(auto sound, x_target.find_digest(digest));
  return sound.has_value();
}

Result<std::vector<Copier::Node>> Copier::gather(Document top) {
  std::vector<Node> nodes;
  TRY_STATUS(gather_into(nodes, std::move(top), 0));
  return nodes;
}

Status Copier::gather_into(std::vector<Node>& nodes, Document document, int depth) {
  TRY_STATUS(x_watcher.alive());
  if (++x_manifests > limits::sync_manifests_per_copy_max || depth > index_depth_max) {
    return fail(Reason::too_large, "the image has too many manifests");
  }
  Node node{.document = std::move(document)};
  TRY(node.contents, read_manifest(node.document.media_type, node.document.bytes));
  for (const Descriptor& child : node.contents.children) {
    node.children.push_back(child.digest.text());
    bool known = false;
    for (const Node& other : nodes) known = known || other.document.digest == child.digest.text();
    if (known) continue;
    TRY(auto found, x_source.find(child.digest.text()));
    if (!found) {
      // A sparse index is the source's choice; whether the target takes it is the target's.
      x_watcher.say("the source itself lacks " + child.digest.text());
      continue;
    }
    TRY_STATUS(gather_into(nodes, std::move(*found), depth + 1));
  }
  nodes.push_back(std::move(node));
  return {};
}

Status Copier::announce(const std::vector<Node>& nodes) {
  std::vector<Piece> pieces;
  std::set<std::string> seen;
  std::int64_t bytes = 0;
  for (const Node& node : nodes) {
    bytes += static_cast<std::int64_t>(node.document.bytes.size());
    for (const Descriptor& blob : node.contents.blobs) {
      if (!seen.insert(blob.digest.text()).second) continue;
      pieces.push_back({node.document.digest, blob.digest.text(), blob.size});
      bytes += blob.size;
    }
  }
  return x_watcher.planned(nodes.back().document.digest, pieces, bytes);
}

Status Copier::send_tree(const std::vector<Node>& nodes, const std::string& reference, bool planned) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    bool top = i + 1 == nodes.size();
    TRY_STATUS(send(nodes[i], top ? reference : nodes[i].document.digest, planned));
  }
  return {};
}

Status Copier::send(const Node& node, const std::string& reference, bool planned) {
  TRY_STATUS(x_watcher.alive());
  std::int64_t size = static_cast<std::int64_t>(node.document.bytes.size());
  // A manifest that is there has its blobs with it.
  TRY(auto there, x_target.find_digest(node.document.digest));
  for (const Descriptor& blob : node.contents.blobs) {
    if (!there) {
      TRY_STATUS(send_blob(blob, planned));
    } else if (x_present.insert(blob.digest.text()).second) {
      TRY_STATUS(x_watcher.arrived(blob.digest.text(), blob.size, 0, planned));
    }
  }
  bool by_digest = reference == node.document.digest;
  if (there && by_digest) return x_watcher.arrived(node.document.digest, size, 0, planned);
  TRY_STATUS(x_target.put(reference, node.document));
  x_watcher.say(fmt::format("{} {}", reference, by_digest ? "" : node.document.digest));
  return x_watcher.arrived(node.document.digest, size, size, planned);
}

Status Copier::send_blob(const Descriptor& blob, bool planned) {
  TRY_STATUS(x_watcher.alive());
  if (x_present.contains(blob.digest.text())) return {};
  TRY(bool there, x_target.has_blob(blob.digest));
  if (!there) {
    TRY(there, x_target.mount_blob(blob.digest, x_source));
  }
  std::int64_t sent = 0;
  if (!there) {
    TRY_STATUS(x_target.write_blob(blob.digest, blob.size, x_source, [&](std::int64_t bytes) -> Status {
      sent += bytes;
      TRY_STATUS(x_watcher.alive());
      return planned ? x_watcher.moving(blob.digest.text(), sent) : Status();
    }));
    x_watcher.say(fmt::format("{} {} bytes", blob.digest.text(), sent));
  }
  x_present.insert(blob.digest.text());
  return x_watcher.arrived(blob.digest.text(), blob.size, sent, planned);
}

// Signatures, attestations, SBOMs: by cosign's tags and by the referrers list.
Status Copier::follow(const std::string& digest, int depth, Outcome& outcome) {
  if (depth >= limits::sync_accessory_depth_max) return {};
  TRY(auto parsed, Digest::parse(digest));
  for (const char* ending : {".sig", ".att", ".sbom"}) {
    TRY_STATUS(carry(fallback_tag(parsed) + ending, depth, outcome));
  }
  TRY(auto referrers, x_source.referrers(parsed));
  for (const std::string& referrer : referrers) TRY_STATUS(carry(referrer, depth, outcome));
  return {};
}

Status Copier::carry(const std::string& from, int depth, Outcome& outcome) {
  TRY_STATUS(x_watcher.alive());
  TRY(auto document, x_source.find(from));
  if (!document) return {};
  bool first = x_carried.insert(document->digest).second;
  bool by_digest = from == document->digest;
  if (!first && by_digest) return {};
  ++outcome.accessories;
  std::string digest = document->digest;
  TRY(auto present, x_target.find_digest(from));
  TRY(bool same, is_whole(present, digest));
  if (!same) {
    TRY(auto nodes, gather(std::move(*document)));
    TRY_STATUS(send_tree(nodes, from, false));
    outcome.sent = true;
  }
  return first ? follow(digest, depth + 1, outcome) : Status();
}

}  // namespace wharfage::sync
