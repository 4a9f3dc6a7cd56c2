// Advisory records of public feeds.
#include "scan/osv.h"
#include "input.h"

using namespace wharfage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static scan::OsvReader reader;  // used again, as an import does
  std::string_view text = fuzz::text_of(data, size);
  auto record = reader.read(text);
  auto again = reader.read(text);
  fuzz::demand(record.ok() == again.ok());
  if (record.ok()) fuzz::demand(record->advisories.size() == again->advisories.size());
  return 0;
}
