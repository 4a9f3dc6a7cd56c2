// Every action against the vendor's own model of it (tests/data/alibaba-model.json: the parameters and reply
// members of the official SDKs): a wrong name, a missing member or a wrong JSON type makes their clients
// fail.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <set>

#include "facade/alibaba/action.h"

using namespace wharfage;
using namespace wharfage::alibaba;
namespace json = boost::json;
using wire::Shape;

namespace {

json::object model() {
  std::ifstream file(WHARFAGE_SOURCE_DIR "/tests/data/alibaba-model.json", std::ios::binary);
  return json::parse(std::string(std::istreambuf_iterator<char>(file), {})).as_object();
}

// Parameters that say nothing here: the address a console user came from.
const std::set<std::string> passed_over = {"SourceIp"};
// What the model calls voluntary although nothing can be done without it.
const std::set<std::string> needed = {"ModifyImageRegistry.Id", "CreateJenkinsImageRegistry.RegistryName"};

bool whole(Shape shape) {
  return shape == Shape::integer || shape == Shape::number;
}

void check_reply(std::span<const wire::Field> fields, json::object members, const std::string& where);

void check_member(const wire::Type& type, const json::value& wanted, const std::string& where) {
  CAPTURE(where);
  if (wanted.is_array()) {
    REQUIRE(type.shape == Shape::list);
    check_member(*type.element, wanted.get_array().at(0), where + "[]");
  } else if (wanted.is_object()) {
    REQUIRE(type.shape == Shape::structure);
    check_reply(type.structure(), wanted.get_object(), where);
  } else {
    std::string_view name = wanted.as_string();
    bool fits = (name == "s" && type.shape == Shape::text) || (name == "n" && whole(type.shape)) ||
                (name == "b" && type.shape == Shape::boolean) || name == "any";
    CHECK(fits);
  }
}

void check_reply(std::span<const wire::Field> fields, json::object members, const std::string& where) {
  for (const wire::Field& field : fields) {
    CAPTURE(where + "." + std::string(field.name));
    REQUIRE(members.contains(field.name));
    check_member(*field.type, members.at(field.name), where + "." + std::string(field.name));
    members.erase(field.name);
  }
  CAPTURE(json::serialize(members));
  CHECK(members.empty());
}

// Takes the envelope's members out of what the model wants; they must be of the envelope's types.
void check_envelope(Envelope envelope, json::object& members) {
  auto take = [&](std::string_view name, std::string_view type) {
    REQUIRE(members.contains(name));
    CHECK(members.at(name).as_string() == type);
    members.erase(name);
  };
  take("RequestId", "s");
  if (envelope == Envelope::request_id) return;
  take("Code", envelope == Envelope::cr_number ? "n" : "s");
  if (envelope == Envelope::cr) take("IsSuccess", "b");
}

void check_parameter(const wire::Type& type, const json::object& wanted) {
  std::string_view name = wanted.at("type").as_string();
  if (name == "R" || name == "J") {
    bool members = wanted.contains("members");
    if (name == "J" && members) {
      CHECK(type.shape == Shape::structure);
      return;
    }
    REQUIRE(type.shape == Shape::list);
    CHECK(type.element->shape == (members ? Shape::structure : Shape::text));
  } else {
    bool number = name == "i" || name == "l" || name == "n";
    CHECK(type.shape == (number ? Shape::integer : name == "b" ? Shape::boolean : Shape::text));
  }
}

void check_request(const Action& action, json::object wanted) {
  for (const wire::Field& field : action.request()) {
    CAPTURE(field.name);
    REQUIRE(wanted.contains(field.name));
    const json::object& parameter = wanted.at(field.name).as_object();
    std::string full = std::string(action.name) + "." + std::string(field.name);
    bool must = parameter.at("required").as_bool() || needed.contains(full);
    CHECK((field.need == wire::required) == must);
    check_parameter(*field.type, parameter);
    wanted.erase(field.name);
  }
  for (const std::string& name : passed_over) wanted.erase(name);
  CAPTURE(json::serialize(wanted));
  CHECK(wanted.empty());
}

}  // namespace

TEST_CASE("every action reads and writes exactly what the vendor's model says") {
  json::object all = model();
  for (std::string_view version : {cr_version, sas_version}) {
    json::object& wanted = all.at(version).as_object();
    std::set<std::string_view> names;
    for (const Action* action : actions(version)) {
      CAPTURE(action->name);
      CHECK(names.insert(action->name).second);
      REQUIRE(wanted.contains(action->name));
      const json::object& facts = wanted.at(action->name).as_object();
      check_request(*action, facts.at("in").as_object());
      json::object reply = facts.at("out").as_object();
      check_envelope(action->envelope, reply);
      check_reply(action->reply(), reply, std::string(action->name));
    }
    CHECK(names.size() == wanted.size());
  }
  CHECK(actions(cr_version).size() == 52);
  CHECK(actions(sas_version).size() == 6);
  CHECK(actions("2016-06-07").empty());
}
