#include "wire/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>

#include "base/limits.h"
#include "base/log.h"
#include "wire/json.h"

namespace wharfage::wire {
namespace detail {
namespace {

namespace json = boost::json;

Error wrong(const std::string& name, std::string_view what) {
  return fail(Reason::invalid_parameter, fmt::format("{} {}", name, what), name);
}

bool listed(std::string_view values, std::string_view value) {
  for (std::string_view one : split(values, '|')) {
    if (one == value) return true;
  }
  return false;
}

Status store_text(const Field* field, const std::string& name, std::string_view text, void* at) {
  if (field && !field->values.empty() && !listed(field->values, text)) {
    return wrong(name, fmt::format("must be one of {}", field->values));
  }
  auto length = static_cast<std::int64_t>(text.size());
  if (field && (length < field->minimum || length > field->maximum)) {
    return wrong(name, fmt::format("must have {} to {} bytes", std::max<std::int64_t>(field->minimum, 0),
                                   field->maximum));
  }
  *static_cast<std::string*>(at) = text;
  return {};
}

Status store_integer(const Type& type, const Field* field, const std::string& name, std::int64_t value,
                     void* at) {
  if (field && (value < field->minimum || value > field->maximum)) {
    return wrong(name, fmt::format("must be between {} and {}", field->minimum, field->maximum));
  }
  if (type.integer_bits == 64) {
    *static_cast<std::int64_t*>(at) = value;
    return {};
  }
  using Limits = std::numeric_limits<std::int32_t>;
  if (value < Limits::min() || value > Limits::max()) return wrong(name, "is out of range");
  *static_cast<std::int32_t*>(at) = static_cast<std::int32_t>(value);
  return {};
}

std::optional<std::int64_t> whole_number(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && value.get_uint64() <= INT64_MAX)
    return static_cast<std::int64_t>(value.get_uint64());
  bool whole = value.is_double() && std::abs(value.get_double()) < 9.0e15 &&
               std::floor(value.get_double()) == value.get_double();
  if (whole) return static_cast<std::int64_t>(value.get_double());
  return std::nullopt;
}

Status read_object(const json::object& object, std::span<const Field> fields, const std::string& prefix,
                   Names names, void* at);

Status read_value(const Type& type, const Field* field, const std::string& name, const json::value& value,
                  Names names, void* at) {
  if (type.optional) {
    if (value.is_null()) return {};
    at = type.engage(at);
  }
  switch (type.shape) {
    case Shape::text:
      if (!value.is_string()) return wrong(name, "must be a string");
      return store_text(field, name, value.get_string(), at);
    case Shape::integer:
      if (auto number = whole_number(value)) return store_integer(type, field, name, *number, at);
      return wrong(name, "must be an integer");
    case Shape::number:
      if (!value.is_number()) return wrong(name, "must be a number");
      *static_cast<double*>(at) = value.to_number<double>();
      return {};
    case Shape::boolean:
      if (!value.is_bool()) return wrong(name, "must be true or false");
      *static_cast<bool*>(at) = value.get_bool();
      return {};
    case Shape::json:
      static_cast<Json*>(at)->text = json::serialize(value);
      return {};
    case Shape::structure:
      if (!value.is_object()) return wrong(name, "must be an object");
      return read_object(value.get_object(), type.structure(), name + ".", names, at);
    case Shape::list:
      if (!value.is_array()) return wrong(name, "must be a list");
      for (const json::value& item : value.get_array()) {
        TRY_STATUS(read_value(*type.element, field, name, item, names, type.append(at, {})));
      }
      return {};
    case Shape::map:
      if (!value.is_object()) return wrong(name, "must be an object");
      for (const auto& [key, item] : value.get_object()) {
        TRY_STATUS(read_value(*type.element, field, name + "." + std::string(key), item, names,
                              type.append(at, key)));
      }
      return {};
  }
  return {};
}

Error missing(const std::string& name) {
  return fail(Reason::missing_parameter, fmt::format("{} is required", name), name);
}

const Field* find_field(std::span<const Field> fields, std::string_view name) {
  auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& one) { return one.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

Status read_object(const json::object& object, std::span<const Field> fields, const std::string& prefix,
                   Names names, void* at) {
  for (const auto& [key, value] : object) {
    bool stray = names == Names::refused && !find_field(fields, key);
    if (stray) return wrong(prefix + std::string(key), "is not known here");
  }
  for (const Field& field : fields) {
    std::string name = prefix + std::string(field.name);
    const json::value* value = object.if_contains(field.name);
    if (value && !value->is_null()) {
      TRY_STATUS(read_value(*field.type, &field, name, *value, names, field.member(at)));
    } else if (field.need == required) {
      return missing(name);
    }
  }
  return {};
}

// ---- parameters -------------------------------------------------------------------------------------------

Status read_params(const Params& params, std::span<const Field> fields, const std::string& prefix, void* at);

bool starts(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

// The distinct indices N of parameters "name.N" or "name.N.…", ascending; gaps are allowed.
std::vector<std::int64_t> indices(const Params& params, const std::string& name) {
  std::map<std::int64_t, bool> found;
  for (const auto& [key, value] : params) {
    if (!starts(key, name + ".")) continue;
    std::string_view rest = std::string_view(key).substr(name.size() + 1);
    auto index = parse_integer(rest.substr(0, rest.find('.')));
    if (index && *index >= 0) found[*index] = true;
  }
  std::vector<std::int64_t> list;
  for (auto& [index, seen] : found) list.push_back(index);
  return list;
}

Status read_scalar(const Type& type, const Field& field, const std::string& name, const std::string& text,
                   void* at) {
  if (type.optional) at = type.engage(at);
  switch (type.shape) {
    case Shape::text:
      return store_text(&field, name, text, at);
    case Shape::integer:
      if (auto number = parse_integer(text)) return store_integer(type, &field, name, *number, at);
      return wrong(name, "must be an integer");
    case Shape::boolean:
      if (text != "true" && text != "false" && text != "True" && text != "False")
        return wrong(name, "must be true or false");
      *static_cast<bool*>(at) = text[0] == 't' || text[0] == 'T';
      return {};
    default: {
      auto value = parse_json(text);
      if (!value.ok()) return wrong(name, "must be JSON");
      return read_value(type, &field, name, *value, Names::ignored, at);
    }
  }
}

Status read_list(const Params& params, const Field& field, const std::string& name, void* at) {
  const Type& element = *field.type->element;
  if (field.type->optional) at = field.type->engage(at);
  for (std::int64_t index : indices(params, name)) {
    std::string item = fmt::format("{}.{}", name, index);
    void* slot = field.type->append(at, {});
    if (element.shape == Shape::structure) {
      TRY_STATUS(read_params(params, element.structure(), item + ".", slot));
    } else {
      TRY_STATUS(read_scalar(element, field, item, find_param(params, item).value_or(""), slot));
    }
  }
  return {};
}

bool has_prefix(const Params& params, const std::string& prefix) {
  for (const auto& [key, value] : params) {
    if (starts(key, prefix)) return true;
  }
  return false;
}

// Whether parameters "name.…" give the field a value: a text or a number has no parts.
bool has_parts(const Params& params, const Field& field, const std::string& name) {
  if (field.type->shape == Shape::structure) return has_prefix(params, name + ".");
  return field.type->shape == Shape::list && !indices(params, name).empty();
}

Status read_params(const Params& params, std::span<const Field> fields, const std::string& prefix, void* at) {
  for (const Field& field : fields) {
    std::string name = prefix + std::string(field.name);
    auto text = find_param(params, name);
    bool nested = !text && has_parts(params, field, name);
    bool absent = !nested && (!text || text->empty());
    if (absent && field.need == required) return missing(name);
    // Clients that send every parameter send those that were not chosen empty.
    bool choice = field.type->shape != Shape::text || !field.values.empty();
    bool empty = text && text->empty() && choice;
    if (text && !empty) {
      TRY_STATUS(read_scalar(*field.type, field, name, *text, field.member(at)));
    } else if (nested && field.type->shape == Shape::list) {
      TRY_STATUS(read_list(params, field, name, field.member(at)));
    } else if (nested && field.type->shape == Shape::structure) {
      void* slot = field.member(at);
      if (field.type->optional) slot = field.type->engage(slot);
      TRY_STATUS(read_params(params, field.type->structure(), name + ".", slot));
    }
  }
  return {};
}

// ---- encoding ---------------------------------------------------------------------------------------------

void write_value(std::string& out, const Type& type, const void* at);

struct Walk {
  std::string& out;
  const Type& type;
  bool first = true;
};

void write_elements(std::string& out, const Type& type, const void* at) {
  Walk walk{out, type};
  type.walk(at, &walk, [](void* context, std::string_view key, const void* item) {
    auto& walk = *static_cast<Walk*>(context);
    if (!walk.first) walk.out += ',';
    walk.first = false;
    if (walk.type.shape == Shape::map) walk.out += json_string(key) + ":";
    write_value(walk.out, *walk.type.element, item);
  });
}

void write_value(std::string& out, const Type& type, const void* at) {
  if (type.optional && !(at = type.inner(at))) {
    out += "null";
    return;
  }
  switch (type.shape) {
    case Shape::text:
      out += json_string(*static_cast<const std::string*>(at));
      return;
    case Shape::integer:
      out += type.integer_bits == 64 ? fmt::to_string(*static_cast<const std::int64_t*>(at))
                                     : fmt::to_string(*static_cast<const std::int32_t*>(at));
      return;
    case Shape::number:
      out += fmt::format("{}", *static_cast<const double*>(at));
      return;
    case Shape::boolean:
      out += *static_cast<const bool*>(at) ? "true" : "false";
      return;
    case Shape::json:
      out += static_cast<const Json*>(at)->text;
      return;
    case Shape::structure:
      encode_json(out, type.structure(), at);
      return;
    case Shape::list:
      out += '[';
      write_elements(out, type, at);
      out += ']';
      return;
    case Shape::map:
      out += '{';
      write_elements(out, type, at);
      out += '}';
      return;
  }
}

}  // namespace

Status decode_json(std::string_view text, std::span<const Field> fields, Names names,
                   std::span<const Field> elsewhere, std::size_t values_max, void* object) {
  TRY(json::value value, parse_json(text, Doubled::last_counts, values_max));
  if (!value.is_object()) return fail(Reason::malformed_body, "the body must be a JSON object");
  for (const Field& field : elsewhere) {
    if (!find_field(fields, field.name)) value.get_object().erase(field.name);
  }
  return read_object(value.get_object(), fields, "", names, object);
}

Status decode_params(const Params& params, std::span<const Field> fields, void* object) {
  return read_params(params, fields, "", object);
}

void encode_json(std::string& out, std::span<const Field> fields, const void* object) {
  out += '{';
  bool first = true;
  for (const Field& field : fields) {
    const void* at = field.member(const_cast<void*>(object));
    if (field.type->optional && !field.type->inner(at)) continue;
    if (!first) out += ',';
    first = false;
    out += json_string(field.name) + ":";
    write_value(out, *field.type, at);
  }
  out += '}';
}

}  // namespace detail

namespace {

std::string type_schema(const Type& type, const Field* field) {
  std::string extra;
  if (field && !field->values.empty()) {
    extra = ",\"enum\":[";
    for (std::string_view value : split(field->values, '|')) extra += json_string(value) + ",";
    extra.back() = ']';
  }
  if (field && !field->note.empty()) extra += ",\"description\":" + json_string(field->note);
  bool text = type.shape == Shape::text;
  if (field && field->minimum != INT64_MIN)
    extra += fmt::format(",\"{}\":{}", text ? "minLength" : "minimum", field->minimum);
  if (field && field->maximum != INT64_MAX)
    extra += fmt::format(",\"{}\":{}", text ? "maxLength" : "maximum", field->maximum);
  switch (type.shape) {
    case Shape::text:
      return "{\"type\":\"string\"" + extra + "}";
    case Shape::integer:
      return fmt::format("{{\"type\":\"integer\",\"format\":\"int{}\"{}}}", type.integer_bits, extra);
    case Shape::number:
      return "{\"type\":\"number\"" + extra + "}";
    case Shape::boolean:
      return "{\"type\":\"boolean\"" + extra + "}";
    case Shape::json:
      return "{}";
    case Shape::structure:
      return json_schema(type.structure());
    case Shape::list:
      return "{\"type\":\"array\",\"items\":" + type_schema(*type.element, nullptr) + "}";
    case Shape::map:
      return "{\"type\":\"object\",\"additionalProperties\":" + type_schema(*type.element, nullptr) + "}";
  }
  return "{}";
}

}  // namespace

std::string json_schema(std::span<const Field> fields) {
  std::string properties, needed;
  for (const Field& field : fields) {
    if (!properties.empty()) properties += ',';
    properties += json_string(field.name) + ":" + type_schema(*field.type, &field);
    if (field.need == required) needed += (needed.empty() ? "" : ",") + json_string(field.name);
  }
  std::string out = "{\"type\":\"object\",\"properties\":{" + properties + "}";
  if (!needed.empty()) out += ",\"required\":[" + needed + "]";
  return out + "}";
}

}  // namespace wharfage::wire
