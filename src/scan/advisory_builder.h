// Gathers advisories and writes the advisory database. Records are keyed by family and id: a newer one takes
// the place of an older one, a withdrawn one removes it. Memory stays proportional to the distinct text:
// names and versions repeat a lot and are kept once. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "scan/advisory.h"

namespace wharfage::scan {

class AdvisoryBuilder {
 public:
  AdvisoryBuilder();
  ~AdvisoryBuilder();

  Status put(Advisory advisory);                                // too_large
  void forget(const Advisory& withdrawn);                       // when nothing newer is known
  void add_source(std::string_view name, std::size_t records);  // replaces one of the same name
  std::size_t size() const;

  // The whole file. `now` is when the data was imported. Error: too_large.
  Result<std::string> build(TimeMs now) const;

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

// Writes `bytes` beside `path`, on disk, then renames: readers see the old file or the new one.
// storage_failed, disk_full.
Status replace_file(const std::string& path, std::string_view bytes);

}  // namespace wharfage::scan
