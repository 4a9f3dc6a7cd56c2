#include "wire/json.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

using namespace wharfage;

namespace {

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string outcome(const std::string& text, wire::Doubled keys, std::size_t most = wire::json_values_max) {
  auto value = wire::parse_json(text, keys, most);
  return value.ok() ? boost::json::serialize(*value) : value.error().message;
}

bool is_read(const std::string& text, std::size_t most) {
  return wire::parse_json(text, wire::Doubled::last_counts, most).ok();
}

}  // namespace

TEST_CASE("a text becomes the tree that it says") {
  for (std::string text : {R"({"a":[1,-2,18446744073709551615,1.5E0,true,false,null,"x"],"b":{"c":{}}})",
                           "[]", R"("a\nb")", "7", "null"}) {
    CHECK(outcome(text, wire::Doubled::refused) == text);
  }
  CHECK(outcome(" {\"a\" : 1 } \n", wire::Doubled::refused) == R"({"a":1})");
  std::string huge = "\"" + std::string(3'000'000, 'x') + "\"";  // longer than the parser's pieces
  CHECK(outcome(huge, wire::Doubled::refused) == huge);
  for (std::string text : {"", " ", "{", "[1,]", "{} x", "[1] 2", "\"\xff\"", "nul", "{\"a\":1,}"}) {
    CAPTURE(text);
    CHECK(outcome(text, wire::Doubled::last_counts).starts_with("the text is not valid JSON"));
  }
}

TEST_CASE("values are counted, whatever they are") {
  CHECK(is_read("[1,[],{},{\"a\":true},\"x\",null,1.5]", 9));
  CHECK_FALSE(is_read("[1,[],{},{\"a\":true},\"x\",null,1.5]", 8));
  CHECK(is_read(repeated("[", 64) + repeated("]", 64), 64));
  CHECK_FALSE(is_read(repeated("[", 64) + repeated("]", 64), 63));
  CHECK_FALSE(is_read(repeated("[", 65) + repeated("]", 65), 1000));  // too deep
  std::string many = "[{}" + repeated(",{}", 1'400'000) + "]";
  CHECK(outcome(many, wire::Doubled::refused) == "the JSON text has more than 131072 values");
}

TEST_CASE("a key that occurs twice is refused where it is asked for, at any depth and in any spelling") {
  std::string keys;
  for (int i = 0; i < 100; ++i) keys += "\"" + std::to_string(i) + "\":[],";
  for (const std::string& text :
       {std::string(R"({"a":1,"a":2})"), std::string(R"({"a":1,"\u0061":1})"),
        std::string(R"([{"x":{"b":{},"a":1,"b":{}}}])"), std::string(R"({"a":{"b":1,"c":2},"a":{}})"),
        "{" + keys + "\"50\":1}", "{" + keys + "\"a\":{\"b\":1,\"b\":1}}", std::string(R"({"":1,"":2})")}) {
    CAPTURE(text);
    CHECK(outcome(text, wire::Doubled::refused) == "a key of the JSON text occurs twice");
    CHECK(wire::parse_json(text).ok());
  }
  CHECK(wire::parse_json(R"({"x":{"a":{"b":1},"c":{"b":1}},"a":1})", wire::Doubled::refused).ok());
  CHECK(wire::parse_json("{" + keys + "\"a\":1}", wire::Doubled::refused).ok());
}
