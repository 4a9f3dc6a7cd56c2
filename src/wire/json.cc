#include "wire/json.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

namespace wharfage::wire {
namespace {

namespace json = boost::json;
using Failure = json::error_code;
using Text = json::string_view;

// What json::parse() does with the pieces of a text, and a count of them.
struct Builder {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  explicit Builder(std::size_t most) : values_max(most) { stack.reset(); }

  const std::size_t values_max;
  json::value_stack stack;
  std::size_t values = 0, members = 0;

  bool one_more(Failure& failed) {
    if (++values <= values_max) return true;
    failed = json::error::array_too_large;
    return false;
  }
  // A container counts when it begins: the parser then has it on its stack.
  bool on_object_begin(Failure& failed) { return one_more(failed); }
  bool on_array_begin(Failure& failed) { return one_more(failed); }
  bool on_object_end(std::size_t many, Failure&) {
    members += many;
    stack.push_object(many);
    return true;
  }
  bool on_array_end(std::size_t many, Failure&) {
    stack.push_array(many);
    return true;
  }
  bool on_key_part(Text part, std::size_t, Failure&) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(Text part, std::size_t, Failure&) {
    stack.push_key(part);
    return true;
  }
  bool on_string_part(Text part, std::size_t, Failure&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(Text part, std::size_t, Failure& failed) {
    stack.push_string(part);
    return one_more(failed);
  }
  bool on_int64(std::int64_t number, Text, Failure& failed) {
    stack.push_int64(number);
    return one_more(failed);
  }
  bool on_uint64(std::uint64_t number, Text, Failure& failed) {
    stack.push_uint64(number);
    return one_more(failed);
  }
  bool on_double(double number, Text, Failure& failed) {
    stack.push_double(number);
    return one_more(failed);
  }
  bool on_bool(bool flag, Failure& failed) {
    stack.push_bool(flag);
    return one_more(failed);
  }
  bool on_null(Failure& failed) {
    stack.push_null();
    return one_more(failed);
  }
  bool on_number_part(Text, Failure&) { return true; }
  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_comment_part(Text, Failure&) { return true; }
  bool on_comment(Text, Failure&) { return true; }
};

std::size_t members_of(const json::value& value) {
  std::size_t many = 0;
  if (const auto* object = value.if_object()) {
    many = object->size();
    for (const auto& [key, inner] : *object) many += members_of(inner);
  } else if (const auto* array = value.if_array()) {
    for (const auto& inner : *array) many += members_of(inner);
  }
  return many;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, Doubled keys, std::size_t values_max) {
  json::parse_options options;
  options.max_depth = limits::json_depth_max;
  json::basic_parser<Builder> parser(options, values_max);
  Failure failed;
  std::size_t read = parser.write_some(false, text.data(), text.size(), failed);
  if (!failed && read < text.size()) failed = json::error::extra_data;
  Builder& built = parser.handler();
  if (built.values > values_max)
    return fail(Reason::malformed_body, fmt::format("the JSON text has more than {} values", values_max));
  if (failed) return fail(Reason::malformed_body, "the text is not valid JSON: " + failed.message());
  json::value value = built.stack.release();
  // Of two members with one key the tree keeps the last.
  if (keys == Doubled::refused && members_of(value) < built.members)
    return fail(Reason::malformed_body, "a key of the JSON text occurs twice");
  return value;
}

}  // namespace wharfage::wire
