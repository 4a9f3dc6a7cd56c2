#include "wire/schema.h"

#include <doctest/doctest.h>

using namespace wharfage;

namespace {

struct Tag {
  std::string key;
  std::optional<std::string> value;
  static constexpr auto fields() {
    return std::array{wire::field<&Tag::key>("Key", wire::required), wire::field<&Tag::value>("Value")};
  }
};

struct Request {
  std::string instance_id;
  std::optional<std::int64_t> page;
  std::int32_t size = 30;
  std::vector<std::string> types;
  std::vector<Tag> tags;
  std::optional<bool> deep;
  std::map<std::string, std::vector<std::string>> scopes;
  wire::Json extra;
  static constexpr auto fields() {
    return std::array{wire::field<&Request::instance_id>("InstanceId", wire::required).range(1, 20),
                      wire::field<&Request::page>("PageNo").range(1, 1000),
                      wire::field<&Request::size>("PageSize"),
                      wire::field<&Request::types>("Types").one_of("acr|harbor|CI/CD"),
                      wire::field<&Request::tags>("Tag"),
                      wire::field<&Request::deep>("Deep"),
                      wire::field<&Request::scopes>("scopes"),
                      wire::field<&Request::extra>("Extra")};
  }
};

struct Elsewhere {
  std::string in_path;
  static constexpr auto fields() { return std::array{wire::field<&Elsewhere::in_path>("InPath")}; }
};

Reason reason_of(const Result<Request>& result) {
  return result.error().reason;
}

}  // namespace

TEST_CASE("a query is decoded with lists, gaps, structures and JSON in one parameter") {
  auto params = parse_query(
      "InstanceId=cri-1&PageNo=2&Types.1=acr&Types.3=CI%2FCD&Tag.1.Key=a&Tag.1.Value=b&"
      "Tag.2.Key=c&Deep=true&RegionId=ignored&scopes=%7B%22r%22%3A%5B%22x%22%5D%7D");
  auto request = wire::decode_params<Request>(params);
  REQUIRE(request.ok());
  CHECK(request->instance_id == "cri-1");
  CHECK(request->page == 2);
  CHECK(request->size == 30);
  CHECK(request->types == std::vector<std::string>{"acr", "CI/CD"});
  REQUIRE(request->tags.size() == 2);
  CHECK(request->tags[0].value == "b");
  CHECK_FALSE(request->tags[1].value);
  CHECK(request->deep == true);
  CHECK(request->scopes.at("r") == std::vector<std::string>{"x"});
}

TEST_CASE("a list may come as JSON text") {
  auto request = wire::decode_params<Request>({{"InstanceId", "i"}, {"Types", R"(["acr"])"}});
  REQUIRE(request.ok());
  CHECK(request->types == std::vector<std::string>{"acr"});
}

TEST_CASE("what is missing or malformed is named") {
  CHECK(reason_of(wire::decode_params<Request>({})) == Reason::missing_parameter);
  CHECK(reason_of(wire::decode_params<Request>({{"InstanceId", ""}})) == Reason::missing_parameter);
  CHECK(reason_of(wire::decode_params<Request>({{"InstanceId.Key", "i"}})) == Reason::missing_parameter);
  auto bad = wire::decode_params<Request>({{"InstanceId", "i"}, {"PageNo", "x"}});
  CHECK(reason_of(bad) == Reason::invalid_parameter);
  CHECK(bad.error().detail == "PageNo");
  CHECK(reason_of(wire::decode_params<Request>({{"InstanceId", "i"}, {"PageNo", "0"}})) ==
        Reason::invalid_parameter);
  CHECK(reason_of(wire::decode_params<Request>({{"InstanceId", "i"}, {"Types.1", "zot"}})) ==
        Reason::invalid_parameter);
  CHECK(reason_of(wire::decode_json<Request>("[1]")) == Reason::malformed_body);
  CHECK(reason_of(wire::decode_json<Request>(R"({"InstanceId":7})")) == Reason::invalid_parameter);
  CHECK(reason_of(wire::decode_json<Request>(R"({"InstanceId":"i","PageSize":4294967296})")) ==
        Reason::invalid_parameter);
  CHECK(reason_of(wire::decode_json<Request>(std::string(100, '[') + std::string(100, ']'))) ==
        Reason::malformed_body);
}

TEST_CASE("replies leave empty optionals out and keep declared types") {
  Request request{.instance_id = "a\"b", .tags = {{"k", {}}}, .extra = {R"({"n":1})"}};
  CHECK(wire::encode_json(request) ==
        R"({"InstanceId":"a\"b","PageSize":30,"Types":[],"Tag":[{"Key":"k"}],"scopes":{},"Extra":{"n":1}})");
  auto again = wire::decode_json<Request>(wire::encode_json(request));
  REQUIRE(again.ok());
  CHECK(wire::encode_json(*again) == wire::encode_json(request));
}

TEST_CASE("the schema names types, ranges and what is required") {
  std::string schema = wire::json_schema(wire::fields_of<Request>());
  CHECK(schema.find(R"("PageNo":{"type":"integer","format":"int64","minimum":1,"maximum":1000})") !=
        schema.npos);
  CHECK(schema.find(R"("required":["InstanceId"])") != schema.npos);
}

TEST_CASE("names that nobody declared are refused at any depth, for who asks") {
  auto read = [](std::string_view text, std::span<const wire::Field> elsewhere = {}) {
    return wire::decode_json<Request>(text, wire::Names::refused, elsewhere);
  };
  CHECK(read(R"({"InstanceId":"i","Tag":[{"Key":"k"}],"Extra":{"anything":1}})").ok());
  CHECK(read("[]").error().reason == Reason::malformed_body);
  CHECK(read("{").error().reason == Reason::malformed_body);
  CHECK(read(R"({"InstanceId":"i","instanceId":"i"})").error().detail == "instanceId");
  CHECK(read(R"({"InstanceId":"i","Tag":[{"Key":"k"},{"key":"k"}]})").error().detail == "Tag.key");
  CHECK(wire::decode_json<Request>(R"({"InstanceId":"i","Tag":[{"Key":"k","key":"k"}]})").ok());

  CHECK(read(R"({"InstanceId":"i","InPath":"i"})").error().detail == "InPath");
  CHECK(read(R"({"InstanceId":"i","InPath":"i"})", wire::fields_of<Elsewhere>()).ok());
  CHECK(read(R"({"InPath":"i"})", wire::fields_of<Elsewhere>()).error().detail == "InstanceId");
}

TEST_CASE("a list of structures is a bare array") {
  CHECK(wire::encode_json(std::vector<Elsewhere>()) == "[]");
  CHECK(wire::encode_json(std::vector<Elsewhere>{{"a"}, {"b"}}) == R"([{"InPath":"a"},{"InPath":"b"}])");
}
