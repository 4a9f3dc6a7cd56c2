#include "http/message.h"

#include <unistd.h>

#include <algorithm>

#include "base/text.h"

namespace wharfage::http {

void Headers::set(std::string_view name, std::string value) {
  auto named = [&](const auto& field) { return same_ignoring_case(field.first, name); };
  auto first = std::find_if(x_fields.begin(), x_fields.end(), named);
  if (first == x_fields.end()) return add(std::string(name), std::move(value));
  first->second = std::move(value);
  x_fields.erase(std::remove_if(first + 1, x_fields.end(), named), x_fields.end());
}

void Headers::remove(std::string_view name) {
  std::erase_if(x_fields, [&](const auto& field) { return same_ignoring_case(field.first, name); });
}

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [field, value] : x_fields) {
    if (same_ignoring_case(field, name)) return value;
  }
  return {};
}

bool Headers::has(std::string_view name) const {
  return std::any_of(x_fields.begin(), x_fields.end(),
                     [&](const auto& field) { return same_ignoring_case(field.first, name); });
}

std::string Headers::all(std::string_view name) const {
  std::string joined;
  bool first = true;
  for (const auto& [field, value] : x_fields) {
    if (!same_ignoring_case(field, name)) continue;
    if (!first) joined += ", ";
    joined += value;
    first = false;
  }
  return joined;
}

Response Response::text(int status, std::string body, std::string type) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

Response Response::json(int status, std::string body) {
  return text(status, std::move(body), "application/json");
}

}  // namespace wharfage::http
