#include <map>
#include <mutex>

#include "base/limits.h"
#include "meta/db.h"
#include "meta/records.h"

namespace wharfage::meta {

struct Ids::Block {
  struct Range {
    std::mutex mutex;  // held while a new block is fetched, so that one caller fetches for all
    std::int64_t next = 0;
    std::int64_t end = 0;
  };
  std::mutex mutex;
  std::map<std::string, Range, std::less<>> ranges;  // nodes stay where they are

  Range& range(std::string_view kind) {
    std::lock_guard lock(mutex);
    auto found = ranges.find(kind);
    return found != ranges.end() ? found->second : ranges.try_emplace(std::string(kind)).first->second;
  }
};

Ids::Ids(Db& db) : x_db(db), x_blocks(std::make_shared<Block>()) {}

Result<std::int64_t> Ids::next(std::string_view kind) {
  auto& range = x_blocks->range(kind);
  std::lock_guard lock(range.mutex);
  if (range.next == range.end) {
    TRY(auto first, x_db.write([&](Tx& tx) { return reserve_ids(tx, kind, limits::id_block); }));
    range.next = first;
    range.end = first + limits::id_block;
  }
  return range.next++;
}

}  // namespace wharfage::meta
