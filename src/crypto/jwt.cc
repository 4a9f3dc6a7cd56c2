#include "crypto/jwt.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "base/text.h"

namespace wharfage::crypto {
namespace {

namespace json = boost::json;

// Nothing for whatever is not one JSON object of bounded depth.
std::optional<json::object> parse_object(std::string_view text, std::size_t depth_max) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

// Base64url as JOSE writes it and in no other spelling: one token has one text.
std::optional<std::string> decode(std::string_view part) {
  auto bytes = unbase64(part);
  if (!bytes.ok() || base64_url(*bytes) != part) return std::nullopt;
  return std::move(*bytes);
}

std::string_view text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains({name.data(), name.size()});
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

// The kid of a header we may trust the signature of; nothing for another algorithm, and nothing where `crit`
// demands an understanding that we lack (RFC 7515 4.1.11).
std::optional<std::string> kid_of(std::string_view header_part) {
  auto text = decode(header_part);
  if (!text) return std::nullopt;
  auto header = parse_object(*text, limits::token_header_depth_max);
  if (!header || text_member(*header, "alg") != "ES256" || header->contains("crit")) return std::nullopt;
  std::string kid(text_member(*header, "kid"));
  if (kid.empty()) return std::nullopt;
  return kid;
}

}  // namespace

Result<std::string> jwt_sign(const EcdsaKey& key, std::string_view kid, std::string_view claims) {
  if (!parse_object(claims, limits::json_depth_max)) {
    return fail(Reason::invalid_parameter, "a token's claims must be a JSON object");
  }
  json::object header{{"typ", "JWT"}, {"alg", "ES256"}, {"kid", json::string_view(kid.data(), kid.size())}};
  std::string token = base64_url(json::serialize(header)) + "." + base64_url(claims);
  TRY(std::string signature, key.sign_raw(token));
  token += "." + base64_url(signature);
  if (token.size() > limits::token_bytes_max)
    return fail(Reason::too_large, "the token's claims are too large");
  return token;
}

Result<std::string> jwt_verify(
    std::string_view token,
    const std::function<std::optional<std::string>(std::string_view kid)>& public_pem) {
  if (token.size() > limits::token_bytes_max) return fail(Reason::token_invalid);
  auto first = token.find('.'), last = token.rfind('.');
  if (first == token.npos || first == last || token.find('.', first + 1) != last)
    return fail(Reason::token_invalid);
  auto kid = kid_of(token.substr(0, first));
  auto claims = decode(token.substr(first + 1, last - first - 1));
  auto signature = decode(token.substr(last + 1));
  if (!kid || !claims || !signature) return fail(Reason::token_invalid);
  auto pem = public_pem(*kid);
  if (!pem) return fail(Reason::token_invalid);
  auto good = ecdsa_verify_raw(*pem, token.substr(0, last), *signature);
  if (!good.ok() || !*good) return fail(Reason::token_invalid);
  return std::move(*claims);
}

}  // namespace wharfage::crypto
