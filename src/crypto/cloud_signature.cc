#include "crypto/cloud_signature.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace wharfage::crypto {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view acs3 = "ACS3-HMAC-SHA256";
constexpr std::string_view sdk_hmac = "SDK-HMAC-SHA256";
constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

Error malformed(std::string_view what) {
  return fail(Reason::signature_malformed, {}, std::string(what));
}

// Every value of a header, trimmed, in wire order.
std::vector<std::string> values_of(const Fields& headers, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : headers) {
    if (same_ignoring_case(key, name)) values.emplace_back(trim(value));
  }
  return values;
}

// A header that may stand there once at most. Which of two would count, no signature says.
Result<std::optional<std::string>> single(const Fields& headers, std::string_view name) {
  auto values = values_of(headers, name);
  if (values.size() > 1) return malformed(name);
  if (values.empty()) return std::optional<std::string>();
  return std::optional<std::string>(std::move(values.front()));
}

Result<std::string> required(const Fields& headers, std::string_view name) {
  TRY(auto value, single(headers, name));
  if (!value || value->empty()) return malformed(name);
  return std::move(*value);
}

struct Authorization {
  std::string access_key, signature;
  std::string listed;              // the list of signed headers as written
  std::vector<std::string> names;  // and its names in lower case
};

Status read_names(Authorization& authorization) {
  for (std::string_view name : split(authorization.listed, ';')) {
    std::string text = lower(name);
    auto& names = authorization.names;
    bool repeated = std::find(names.begin(), names.end(), text) != names.end();
    if (text.empty() || repeated || names.size() == limits::signed_headers_max)
      return malformed("SignedHeaders");
    names.push_back(std::move(text));
  }
  return {};
}

bool is_hex_256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// "<algorithm> <key_name>=<id>, SignedHeaders=<a;b>, Signature=<hex>", blanks after commas or not.
Result<Authorization> parse_authorization(std::string_view text, std::string_view algorithm,
                                          std::string_view key_name) {
  auto blank = text.find(' ');
  if (text.substr(0, blank) != algorithm) return fail(Reason::signature_unsupported);
  if (blank == text.npos) return malformed("Authorization");
  Authorization authorization;
  for (std::string_view part : split(text.substr(blank + 1), ',')) {
    part = trim(part);
    auto equals = part.find('=');
    std::string_view name = part.substr(0, equals);
    std::string* place = name == key_name          ? &authorization.access_key
                         : name == "SignedHeaders" ? &authorization.listed
                         : name == "Signature"     ? &authorization.signature
                                                   : nullptr;
    if (!place || !place->empty() || equals == part.npos) return malformed("Authorization");
    *place = trim(part.substr(equals + 1));
  }
  if (authorization.access_key.empty()) return malformed(key_name);
  if (!is_hex_256(authorization.signature)) return malformed("Signature");
  TRY_STATUS(read_names(authorization));
  return authorization;
}

// parse_query allocates per parameter, so their number is limited before.
Result<Params> read_params(std::string_view text) {
  if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '&')) >= limits::signed_params_max) {
    return fail(Reason::too_large, "there are too many parameters");
  }
  return parse_query(text);
}

// Sorted bytewise by name, then value; both RFC 3986-encoded; no value is an empty value. The wire spelling
// does not count: Node leaves !'()* as they are and Go writes + for a blank.
std::string canonical_params(Params params) {
  std::sort(params.begin(), params.end());
  std::string text;
  for (const auto& [name, value] : params) {
    if (!text.empty()) text += '&';
    text += percent_encode(name) + '=' + percent_encode(value);
  }
  return text;
}

Status refuse_repeated(const Params& params) {
  std::vector<std::string_view> names;
  for (const auto& param : params) names.push_back(param.first);
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return malformed(cut(*twice, 64));
  return {};
}

// "name:value\n" for each signed header. One that is named but absent makes the list a lie. Alibaba's SDK
// joins the sorted values of a repeated header; those that say who asks for what must not be repeated at all.
Result<std::string> canonical_headers(const Authorization& authorization, const Fields& headers,
                                      bool may_repeat) {
  std::string text;
  for (const std::string& name : authorization.names) {
    auto values = values_of(headers, name);
    bool once = !may_repeat || name == "host" || name.starts_with("x-acs-");
    if (values.empty() || (once && values.size() > 1)) return malformed(name);
    std::sort(values.begin(), values.end());
    text += name + ':' + join(values, ",") + '\n';
  }
  return text;
}

// METHOD \n path \n query \n headers (each with its \n) \n list \n payload hash: both clouds share the frame.
std::string canonical_request(const SignedRequest& request, std::string_view path, std::string_view query,
                              std::string_view headers, const Authorization& authorization,
                              std::string_view payload) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, path, query, headers, authorization.listed,
                     payload);
}

bool names_header(const Authorization& authorization, std::string_view name) {
  return std::find(authorization.names.begin(), authorization.names.end(), name) != authorization.names.end();
}

// What a V3 signature must cover: the headers that make the request what it is, and every x-acs- header there
// is, a security token above all. Otherwise someone on the way could add one.
Status check_coverage_v3(const Authorization& authorization, const Fields& headers) {
  for (std::string_view name : {"host", "x-acs-action", "x-acs-version", "x-acs-date",
                                "x-acs-signature-nonce", "x-acs-content-sha256"}) {
    if (!names_header(authorization, name) || !required(headers, name).ok()) return malformed(name);
  }
  for (const auto& field : headers) {
    std::string name = lower(field.first);
    if (name.starts_with("x-acs-") && !names_header(authorization, name)) return malformed(cut(name, 64));
  }
  return {};
}

Result<SignatureClaim> read_alibaba_v3(const SignedRequest& request, std::string_view authorization_text) {
  TRY(Authorization authorization, parse_authorization(authorization_text, acs3, "Credential"));
  TRY_STATUS(check_coverage_v3(authorization, request.headers));
  TRY(std::string date, required(request.headers, "x-acs-date"));
  TRY(std::string nonce, required(request.headers, "x-acs-signature-nonce"));
  TRY(std::string claimed_hash, required(request.headers, "x-acs-content-sha256"));
  TRY(auto key_again, single(request.headers, "x-acs-accesskey-id"));
  TRY(auto token, single(request.headers, "x-acs-security-token"));
  if (key_again && *key_again != authorization.access_key) return malformed("x-acs-accesskey-id");
  const std::string payload = hex(sha256(request.body));
  if (claimed_hash != payload) {
    return fail(Reason::signature_mismatch, "x-acs-content-sha256 is not the digest of the body",
                "x-acs-content-sha256");
  }
  TRY(Params params, read_params(request.query));
  TRY_STATUS(refuse_repeated(params));
  TRY(std::string headers, canonical_headers(authorization, request.headers, true));
  const std::string text = canonical_request(request, request.path, canonical_params(std::move(params)),
                                             headers, authorization, payload);
  SignatureClaim claim{SignatureScheme::alibaba_v3};
  claim.access_key = std::move(authorization.access_key);
  claim.date = std::move(date);
  claim.nonce = std::move(nonce);
  claim.security_token = token.value_or("");
  claim.signed_headers = std::move(authorization.names);
  claim.signature = std::move(authorization.signature);
  claim.strings_to_sign.push_back(fmt::format("{}\n{}", acs3, hex(sha256(text))));
  return claim;
}

Result<std::string> required_param(const Params& params, std::string_view name) {
  auto value = find_param(params, name);
  if (!value || value->empty()) return malformed(name);
  return std::move(*value);
}

// Query and form are signed together, all but Signature itself; empty values too, for the Go SDK always sends
// "SignatureType=" and signs it. The path is not part of it, so there is but one.
Result<SignatureClaim> read_alibaba_v1(const SignedRequest& request) {
  TRY(Params params, read_params(request.query));
  TRY(Params form, read_params(request.body));
  std::move(form.begin(), form.end(), std::back_inserter(params));
  if (!find_param(params, "Signature") && !find_param(params, "AccessKeyId"))
    return fail(Reason::unauthenticated);
  TRY_STATUS(refuse_repeated(params));
  SignatureClaim claim{SignatureScheme::alibaba_v1};
  TRY(claim.access_key, required_param(params, "AccessKeyId"));
  TRY(claim.signature, required_param(params, "Signature"));
  TRY(claim.date, required_param(params, "Timestamp"));
  TRY(claim.nonce, required_param(params, "SignatureNonce"));
  TRY(std::string method, required_param(params, "SignatureMethod"));
  TRY(std::string version, required_param(params, "SignatureVersion"));
  bool plain = find_param(params, "SignatureType").value_or("").empty();
  if (method != "HMAC-SHA1" || version != "1.0" || !plain) return fail(Reason::signature_unsupported);
  if (request.path != "/") return fail(Reason::signature_mismatch, {}, "path");
  claim.security_token = find_param(params, "SecurityToken").value_or("");
  std::erase_if(params, [](const auto& param) { return param.first == "Signature"; });
  claim.strings_to_sign.push_back(fmt::format("{}&{}&{}", request.method, percent_encode("/"),
                                              percent_encode(canonical_params(std::move(params)))));
  return claim;
}

// Segments encoded, the slashes kept, and one at the end.
template <class Transform>
std::string canonical_path(std::string_view path, Transform transform) {
  std::string text;
  for (std::string_view segment : split(path, '/')) text += percent_encode(transform(segment)) + '/';
  if (path.ends_with('/')) text.pop_back();
  return text;
}

// The three ways clients make the canonical path from the one they send. Without a '%' they are one:
//  - each segment once decoded (Go, Terraform, and all of them for ordinary paths);
//  - the whole decoded before it is split, so that an escaped slash becomes a plain one (Python);
//  - the wire's own segments encoded once more (Node).
std::vector<std::string> canonical_paths(std::string_view path) {
  auto decoded = [](std::string_view segment) { return percent_decode(segment); };
  auto as_is = [](std::string_view segment) { return std::string(segment); };
  std::vector<std::string> paths{canonical_path(path, decoded)};
  if (path.find('%') == path.npos) return paths;
  for (std::string other : {canonical_path(percent_decode(path), as_is), canonical_path(path, as_is)}) {
    if (std::find(paths.begin(), paths.end(), other) == paths.end()) paths.push_back(std::move(other));
  }
  return paths;
}

// The payload's part of the canonical request. A digest the client announces is only worth something when it
// is the body's, which the signature by itself does not say.
Result<std::string> huawei_payload(const SignedRequest& request) {
  TRY(auto announced, single(request.headers, "x-sdk-content-sha256"));
  if (announced == unsigned_payload) return std::move(*announced);
  std::string actual = hex(sha256(request.body));
  if (announced && *announced != actual) {
    return fail(Reason::signature_mismatch, "X-Sdk-Content-Sha256 is not the digest of the body",
                "X-Sdk-Content-Sha256");
  }
  return actual;
}

}  // namespace

Result<SignatureClaim> read_alibaba_signature(const SignedRequest& request) {
  TRY(auto authorization, single(request.headers, "authorization"));
  return authorization ? read_alibaba_v3(request, *authorization) : read_alibaba_v1(request);
}

// Which headers are signed is the client's choice: Terraform adds X-Project-Id and X-Security-Token after it
// has signed. The date always is, as part of the string to sign.
Result<SignatureClaim> read_huawei_signature(const SignedRequest& request) {
  TRY(auto text, single(request.headers, "authorization"));
  if (!text) return fail(Reason::unauthenticated);
  TRY(Authorization authorization, parse_authorization(*text, sdk_hmac, "Access"));
  TRY(std::string date, required(request.headers, "x-sdk-date"));
  TRY(auto token, single(request.headers, "x-security-token"));
  TRY(std::string payload, huawei_payload(request));
  TRY(Params params, read_params(request.query));
  TRY(std::string headers, canonical_headers(authorization, request.headers, false));
  const std::string query = canonical_params(std::move(params));
  SignatureClaim claim{SignatureScheme::huawei};
  for (const std::string& path : canonical_paths(request.path)) {
    std::string canonical = canonical_request(request, path, query, headers, authorization, payload);
    claim.strings_to_sign.push_back(fmt::format("{}\n{}\n{}", sdk_hmac, date, hex(sha256(canonical))));
  }
  claim.access_key = std::move(authorization.access_key);
  claim.date = std::move(date);
  claim.security_token = token.value_or("");
  claim.signed_headers = std::move(authorization.names);
  claim.body_signed = payload != unsigned_payload;
  claim.signature = std::move(authorization.signature);
  return claim;
}

Status check_signature(const SignatureClaim& claim, std::string_view secret) {
  bool same = false;
  for (const std::string& text : claim.strings_to_sign) {
    // V1 appends '&' to the secret; no scheme derives a key from it.
    std::string expected = claim.scheme == SignatureScheme::alibaba_v1
                               ? base64(hmac_sha1(std::string(secret) + "&", text))
                               : hex(hmac_sha256(secret, text));
    same = same_secret(expected, claim.signature) || same;
  }
  if (secret.empty() || !same) return fail(Reason::signature_mismatch);
  return {};
}

Result<TimeMs> signature_time(const SignatureClaim& claim) {
  auto time = Result<TimeMs>(fail(Reason::signature_malformed));
  if (claim.scheme == SignatureScheme::huawei) {
    time = parse_basic_iso8601(claim.date);
  } else if (claim.date.size() == sizeof("2026-11-22T02:22:43Z") - 1 && claim.date[10] == 'T') {
    time = parse_rfc3339(claim.date);
  }
  if (!time.ok())
    return fail(Reason::signature_malformed, "the request's date is not in the form it must have", "date");
  return time;
}

}  // namespace wharfage::crypto
