#include <fmt/format.h>

#include <array>
#include <cctype>
#include <map>

#include "base/log.h"
#include "facade/native/route.h"

namespace wharfage::native {
namespace {

using Family = std::span<const Route> (*)();

struct Group {
  std::string_view name;
  Family family;
};
constexpr std::array<Group, 14> groups{{{"accounts", &account_routes},
                                        {"registry", &registry_routes},
                                        {"repositories", &repository_routes},
                                        {"policies", &policy_routes},
                                        {"deleted", &deleted_routes},
                                        {"quotas", &quota_routes},
                                        {"retention", &retention_routes},
                                        {"builds", &build_routes},
                                        {"scans", &scan_routes},
                                        {"signing", &sign_routes},
                                        {"connections", &connection_routes},
                                        {"system", &system_routes},
                                        {"webhooks", &webhook_routes},
                                        {"maintenance", &maintenance_routes}}};

bool in_path(const Route& route, std::string_view name) {
  return route.path.find("{" + std::string(name) + "}") != route.path.npos;
}

std::string parameters(const Route& route) {
  std::string text;
  for (const wire::Field& field : route.query()) {
    bool path = in_path(route, field.name);
    bool needed = path || field.need == wire::required;
    std::string schema = wire::json_schema({&field, 1});
    // The schema of one field: cut out of {"type":"object","properties":{"name":…}…}.
    auto from = schema.find(json_string(field.name) + ":") + json_string(field.name).size() + 1;
    auto to = schema.rfind(needed && field.need == wire::required ? "},\"required\"" : "}}");
    text +=
        fmt::format(R"({}{{"name":{},"in":"{}","required":{},"schema":{}}})", text.empty() ? "" : ",",
                    json_string(field.name), path ? "path" : "query", needed, schema.substr(from, to - from));
  }
  return text;
}

// "GET /api/v1/webhooks/{id}/deliveries" is getWebhooksByIdDeliveries: what generated clients call it.
std::string operation_id(const Route& route) {
  constexpr std::string_view root = "/api/v1/";
  std::string id = lower(route.method);
  bool starts_word = true;
  for (char letter : route.path.substr(root.size())) {
    if (letter == '{') id += "By";
    bool plain = std::isalnum(static_cast<unsigned char>(letter)) != 0;
    if (plain) id += starts_word ? upper(std::string_view(&letter, 1)) : std::string(1, letter);
    starts_word = !plain;
  }
  return id;
}

std::string operation(const Route& route, std::string_view group) {
  std::string text = fmt::format(R"({{"operationId":"{}","tags":["{}"],"summary":{},"parameters":[{}])",
                                 operation_id(route), group, json_string(route.summary), parameters(route));
  if (!route.body().empty()) {
    text += R"(,"requestBody":{"required":true,"content":{"application/json":{"schema":)" +
            wire::json_schema(route.body()) + "}}}";
  }
  bool empty = route.reply().empty();
  std::string content =
      empty ? "" : R"(,"content":{"application/json":{"schema":)" + wire::json_schema(route.reply()) + "}}";
  text += fmt::format(
      R"(,"responses":{{"{}":{{"description":"done"{}}},"default":{{"$ref":"#/components/responses/Error"}}}})",
      empty ? 204 : route.status, content);
  if (route.anonymous) text += R"(,"security":[])";
  return text + "}";
}

constexpr std::string_view components =
    R"("components":{"securitySchemes":{"basic":{"type":"http","scheme":"basic"},"token":{"type":"http","scheme":"bearer"}},)"
    R"("responses":{"Error":{"description":"what went wrong","content":{"application/json":{"schema":{"type":"object",)"
    R"("properties":{"error":{"type":"object","properties":{"code":{"type":"string"},"message":{"type":"string"},)"
    R"("detail":{"type":"string"},"request_id":{"type":"string"}}}}}}}}}},"security":[{"basic":[]},{"token":[]}])";

}  // namespace

std::vector<const Route*> routes() {
  std::vector<const Route*> all;
  for (const Group& group : groups) {
    for (const Route& route : group.family()) all.push_back(&route);
  }
  return all;
}

std::string openapi_document(std::string_view version) {
  std::map<std::string_view, std::string> paths;
  for (const Group& group : groups) {
    for (const Route& route : group.family()) {
      std::string& methods = paths[route.path];
      methods += fmt::format("{}{}:{}", methods.empty() ? "" : ",", json_string(lower(route.method)),
                             operation(route, group.name));
    }
  }
  std::string text =
      fmt::format(R"({{"openapi":"3.1.0","info":{{"title":"Wharfage","version":"{}"}},"paths":{{)", version);
  bool first = true;
  for (const auto& [path, methods] : paths) {
    text += fmt::format("{}{}:{{{}}}", first ? "" : ",", json_string(path), methods);
    first = false;
  }
  return text + "}," + std::string(components) + "}";
}

Result<registry::Slice> page_of(std::optional<std::int64_t> offset, std::optional<std::int64_t> limit) {
  constexpr std::int64_t limit_default = 50, limit_max = 1000;
  registry::Slice slice{offset.value_or(0), limit.value_or(limit_default)};
  if (slice.offset < 0) return fail(Reason::invalid_parameter, "offset must be 0 or more", "offset");
  if (slice.limit < 1 || slice.limit > limit_max) {
    return fail(Reason::invalid_parameter, "limit must be between 1 and 1000", "limit");
  }
  return slice;
}

}  // namespace wharfage::native
