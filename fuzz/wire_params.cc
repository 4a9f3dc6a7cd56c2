// Parameters and JSON bodies of the cloud APIs, into a structure with one member of every shape. What was
// understood must survive being written and read again.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "input.h"
#include "wire/schema.h"

using namespace wharfage;

namespace {

constexpr std::int64_t name_max = 1 << 20;  // far away: damaged text grows when it is written

struct Inner {
  std::string key;
  std::optional<std::int64_t> count;
  std::vector<std::string> values;
  static constexpr auto fields() {
    return std::array{wire::field<&Inner::key>("Key", wire::required), wire::field<&Inner::count>("Count"),
                      wire::field<&Inner::values>("Value")};
  }
};

struct Sample {
  std::string name;
  std::optional<std::int64_t> page;
  std::optional<std::int32_t> small;
  std::optional<double> ratio;
  std::optional<bool> flag;
  std::optional<wire::Json> any;
  std::optional<Inner> inner;
  std::vector<Inner> list;
  std::map<std::string, std::string> labels;
  static constexpr auto fields() {
    return std::array{wire::field<&Sample::name>("Name", wire::required).range(1, name_max),
                      wire::field<&Sample::page>("Page").range(1, 1000),
                      wire::field<&Sample::small>("Small"),
                      wire::field<&Sample::ratio>("Ratio"),
                      wire::field<&Sample::flag>("Flag"),
                      wire::field<&Sample::any>("Any"),
                      wire::field<&Sample::inner>("Inner"),
                      wire::field<&Sample::list>("List"),
                      wire::field<&Sample::labels>("Labels")};
  }
};

void check(const Result<Sample>& sample) {
  if (!sample.ok()) return;
  fuzz::demand(!sample->name.empty());
  fuzz::demand(!sample->page || (*sample->page >= 1 && *sample->page <= 1000));
  std::string text = wire::encode_json(*sample);
  auto again = wire::decode_json<Sample>(text);
  fuzz::demand(again.ok() && wire::encode_json(*again) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  check(wire::decode_json<Sample>(text));
  check(wire::decode_params<Sample>(parse_query(text)));
  return 0;
}
