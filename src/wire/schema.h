// Declared fields: one table per wire structure feeds decoding, encoding, the OpenAPI document and the docs,
// so none of them can drift. A structure names its members once:
//
//   struct Query {
//     std::string instance_id;
//     std::optional<std::int64_t> page_no;
//     static constexpr auto fields() {
//       return std::array{wire::field<&Query::instance_id>("InstanceId", wire::required),
//                         wire::field<&Query::page_no>("PageNo")};
//     }
//   };
//
// Members may be std::string, integers, double, bool, wire::Json (any JSON, kept as text), another such
// structure, and std::optional, std::vector or std::map<std::string, …> of these. An empty optional is left
// out of replies; what becomes of unknown names in requests is said with each decoding (Names). The tables
// are type-erased: one codec serves all.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "wire/json.h"

namespace wharfage::wire {

struct Json {
  std::string text = "null";  // valid JSON
};

enum class Shape { text, integer, number, boolean, json, structure, list, map };

struct Field;

// How one C++ type is read and written, whoever holds it.
struct Type {
  Shape shape;
  bool optional = false;
  int integer_bits = 64;
  const Type* element = nullptr;                    // of lists and maps
  std::span<const Field> (*structure)() = nullptr;  // of structures
  // Presence and the inner object of an optional; append and walk of a list or map.
  const void* (*inner)(const void*) = nullptr;  // nullptr when empty
  void* (*engage)(void*) = nullptr;
  void* (*append)(void*, std::string_view key) = nullptr;
  void (*walk)(const void*, void* context,
               void (*visit)(void* context, std::string_view key, const void*)) = nullptr;
};

enum Need { voluntary, required };

// What becomes of a JSON object's members that are no fields: the clouds' clients send what newer versions
// know, so there they are ignored; in our own API a misspelt name must not pass for an absent one.
enum class Names { ignored, refused };

struct Field {
  std::string_view name;
  Need need = voluntary;
  const Type* type = nullptr;
  void* (*member)(void*) = nullptr;
  // What the documentation and the decoder know beyond the type. `values` is "a|b|c"; lengths are in bytes of
  // text, minimum and maximum of integers.
  std::string_view values = {};
  std::int64_t minimum = INT64_MIN, maximum = INT64_MAX;
  std::string_view note = {};

  constexpr Field one_of(std::string_view list) const {
    Field copy = *this;
    copy.values = list;
    return copy;
  }
  // Of a text: its length in bytes; of an integer: its value.
  constexpr Field range(std::int64_t low, std::int64_t high) const {
    Field copy = *this;
    copy.minimum = low;
    copy.maximum = high;
    return copy;
  }
  constexpr Field about(std::string_view text) const {
    Field copy = *this;
    copy.note = text;
    return copy;
  }
};

template <class T>
std::span<const Field> fields_of() {
  static constexpr auto table = T::fields();
  return table;
}

namespace detail {

template <class T>
struct TypeOf {  // structures
  static constexpr Type value{.shape = Shape::structure, .structure = &fields_of<T>};
};
template <>
struct TypeOf<std::string> {
  static constexpr Type value{.shape = Shape::text};
};
template <>
struct TypeOf<std::int64_t> {
  static constexpr Type value{.shape = Shape::integer};
};
template <>
struct TypeOf<std::int32_t> {
  static constexpr Type value{.shape = Shape::integer, .integer_bits = 32};
};
template <>
struct TypeOf<double> {
  static constexpr Type value{.shape = Shape::number};
};
template <>
struct TypeOf<bool> {
  static constexpr Type value{.shape = Shape::boolean};
};
template <>
struct TypeOf<Json> {
  static constexpr Type value{.shape = Shape::json};
};
template <class T>
struct TypeOf<std::optional<T>> {
  static constexpr Type inner = TypeOf<T>::value;
  static constexpr Type value{
      .shape = inner.shape,
      .optional = true,
      .integer_bits = inner.integer_bits,
      .element = inner.element,
      .structure = inner.structure,
      .inner = [](const void* at) -> const void* {
        auto& held = *static_cast<const std::optional<T>*>(at);
        return held ? &*held : nullptr;
      },
      .engage = [](void* at) -> void* { return &static_cast<std::optional<T>*>(at)->emplace(); },
      .append = inner.append,
      .walk = inner.walk};
};
template <class T>
struct TypeOf<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "vector<bool> has no addressable elements");
  static constexpr Type value{
      .shape = Shape::list,
      .element = &TypeOf<T>::value,
      .append = [](void* at, std::string_view) -> void* {
        return &static_cast<std::vector<T>*>(at)->emplace_back();
      },
      .walk =
          [](const void* at, void* context, void (*visit)(void*, std::string_view, const void*)) {
            for (const T& item : *static_cast<const std::vector<T>*>(at)) visit(context, {}, &item);
          }};
};
template <class T>
struct TypeOf<std::map<std::string, T>> {
  static constexpr Type value{
      .shape = Shape::map,
      .element = &TypeOf<T>::value,
      .append = [](void* at, std::string_view key) -> void* {
        return &(*static_cast<std::map<std::string, T>*>(at))[std::string(key)];
      },
      .walk =
          [](const void* at, void* context, void (*visit)(void*, std::string_view, const void*)) {
            for (const auto& [key, item] : *static_cast<const std::map<std::string, T>*>(at))
              visit(context, key, &item);
          }};
};

template <class T>
struct MemberOf;
template <class Owner, class Member>
struct MemberOf<Member Owner::*> {
  using owner = Owner;
  using member = Member;
};

// A function and not a lambda, and with the owner as a type: g++ 12 gives a lambda of field<&Query::id>
// external linkage even when Query is in an unnamed namespace, so that every file's Query would share one
// file's offsets.
template <class Owner, auto Member>
void* member_at(void* object) {
  return &(static_cast<Owner*>(object)->*Member);
}

Status decode_json(std::string_view text, std::span<const Field> fields, Names names,
                   std::span<const Field> elsewhere, std::size_t values_max, void* object);
Status decode_params(const Params& params, std::span<const Field> fields, void* object);
void encode_json(std::string& out, std::span<const Field> fields, const void* object);

}  // namespace detail

namespace detail {
// The owner is a type argument of its own: g++ 12 gives templates over a pointer to a member of a file-local
// type external linkage otherwise, and members of equally named types of two files would be mixed up.
template <class Owner, class Member, Member Owner::* At>
struct Access {
  static void* of(void* object) { return &(static_cast<Owner*>(object)->*At); }
};
}  // namespace detail

template <auto Member>
constexpr Field field(std::string_view name, Need need = voluntary) {
  using Of = detail::MemberOf<decltype(Member)>;
  return {.name = name,
          .need = need,
          .type = &detail::TypeOf<typename Of::member>::value,
          .member = &detail::Access<typename Of::owner, typename Of::member, Member>::of};
}

// Errors: malformed_body (not a JSON object), missing_parameter and invalid_parameter (detail = the name,
// dotted). `elsewhere`: fields that the object may repeat, since they came another way (a path's variables).
// `values_max`: for what we have written ourselves and bounded otherwise.
template <class T>
Result<T> decode_json(std::string_view text, Names names = Names::ignored,
                      std::span<const Field> elsewhere = {}, std::size_t values_max = json_values_max) {
  T object{};
  TRY_STATUS(detail::decode_json(text, fields_of<T>(), names, elsewhere, values_max, &object));
  return object;
}

// From a query or a form. Lists are Name.1, Name.2 … (of structures: Name.1.Key), or Name holding a JSON
// array; structures are JSON text or Name.Member. Errors as above.
template <class T>
Result<T> decode_params(const Params& params) {
  T object{};
  TRY_STATUS(detail::decode_params(params, fields_of<T>(), &object));
  return object;
}

template <class T>
std::string encode_json(const T& object) {
  std::string out;
  detail::encode_json(out, fields_of<T>(), &object);
  return out;
}

// A bare JSON array.
template <class T>
std::string encode_json(const std::vector<T>& list) {
  std::string out = "[";
  for (const T& object : list) {
    if (out.size() > 1) out += ',';
    detail::encode_json(out, fields_of<T>(), &object);
  }
  return out + "]";
}

// The JSON Schema (2020-12, as OpenAPI 3.1 uses it) of a structure, as JSON text.
std::string json_schema(std::span<const Field> fields);

}  // namespace wharfage::wire
