// Reads OSV records (https://ossf.github.io/osv-schema, 1.0 to 1.7) into advisories. The feeds are public and
// large, so this is lenient and bounded: what we do not judge is counted and left out, damaged records are
// errors of their own. One thread; the parser's memory is used again for the next record.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "scan/advisory.h"

namespace wharfage::scan {

struct OsvRecord {
  std::vector<Advisory> advisories;  // one per family
  bool withdrawn = false;            // the advisories name what is to be forgotten
};

class OsvReader {
 public:
  OsvReader();
  ~OsvReader();
  // Error: malformed_body. A record that concerns none of our ecosystems has no advisories.
  Result<OsvRecord> read(std::string_view json);

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::scan
