#include "registry/double_keys.h"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/limits.h"

namespace wharfage::registry {
namespace {

namespace json = boost::json;
using Failure = json::error_code;
using Text = json::string_view;

// Called by the parser for every piece of the text; only keys matter.
struct Keys {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  std::vector<std::unordered_set<std::string>> open;
  std::string key;
  bool doubled = false;

  bool on_key_part(Text part, std::size_t, Failure&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Failure&) {
    key.append(part.data(), part.size());
    if (!open.back().insert(std::move(key)).second) doubled = true;
    key.clear();
    return true;
  }
  bool on_object_begin(Failure&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Failure&) {
    open.pop_back();
    return true;
  }
  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_array_begin(Failure&) { return true; }
  bool on_array_end(std::size_t, Failure&) { return true; }
  bool on_string_part(Text, std::size_t, Failure&) { return true; }
  bool on_string(Text, std::size_t, Failure&) { return true; }
  bool on_number_part(Text, Failure&) { return true; }
  bool on_int64(std::int64_t, Text, Failure&) { return true; }
  bool on_uint64(std::uint64_t, Text, Failure&) { return true; }
  bool on_double(double, Text, Failure&) { return true; }
  bool on_bool(bool, Failure&) { return true; }
  bool on_null(Failure&) { return true; }
  bool on_comment_part(Text, Failure&) { return true; }
  bool on_comment(Text, Failure&) { return true; }
};

}  // namespace

bool has_double_keys(std::string_view bytes) {
  json::parse_options options;
  options.max_depth = limits::json_depth_max;
  json::basic_parser<Keys> parser(options);
  Failure failed;
  parser.write_some(false, bytes.data(), bytes.size(), failed);
  return parser.handler().doubled;
}

}  // namespace wharfage::registry
