#include "registry/wanted.h"

#include "registry/records.h"

namespace wharfage::registry {
namespace {

using records::BlobState;

constexpr std::int64_t page_size = 500;

}  // namespace

Status each_wanted_blob(meta::Db& db, const std::function<Status(const WantedBlob&)>& visit) {
  for (std::string last;;) {
    TRY(auto page, db.read([&](meta::Tx& tx) { return records::blobs_after(tx, last, page_size); }));
    for (const auto& blob : page) {
      bool lost = blob.row.state == BlobState::lost;
      if (blob.linked && (lost || blob.row.state == BlobState::live))
        TRY_STATUS(visit({blob.digest, blob.row.size, lost}));
    }
    if (page.empty()) return {};
    last = page.back().digest;
  }
}

Status lose_blobs(meta::Db& db, const std::vector<WantedBlob>& blobs, TimeMs now) {
  return db.write([&](meta::Tx& tx) -> Status {
    for (const auto& blob : blobs) {
      TRY_STATUS(records::append_change(tx, 0, {.blobs = -1, .bytes = -blob.size}));
      TRY_STATUS(records::put_blob(tx, blob.digest, {blob.size, BlobState::lost}, now));
    }
    return {};
  });
}

}  // namespace wharfage::registry
