#include "notify/cloud_event.h"

#include <boost/json.hpp>

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace wharfage::notify {
namespace {

constexpr std::string_view secret_prefix = "whsec_";

std::string standard_key(std::string_view secret) {
  if (secret.substr(0, secret_prefix.size()) != secret_prefix) return std::string(secret);
  auto key = unbase64(secret.substr(secret_prefix.size()));
  return key.ok() ? *key : std::string(secret);
}

}  // namespace

std::string cloud_event(const job::Event& event, std::string_view source) {
  boost::json::parse_options options;
  options.max_depth = limits::json_depth_max;
  boost::system::error_code error;
  boost::json::value data = boost::json::parse(event.data, error, {}, options);
  boost::json::object out{
      {"specversion", "1.0"}, {"id", event.id}, {"source", source}, {"type", "wharfage." + event.type}};
  if (!event.subject.empty()) out["subject"] = event.subject;
  out["time"] = rfc3339_ms(event.at);
  out["datacontenttype"] = "application/json";
  out["data"] = error ? boost::json::value(boost::json::object()) : std::move(data);
  return boost::json::serialize(out);
}

http::Headers signed_headers(std::string_view secret, std::string_view delivery_id, TimeMs now,
                             std::string_view body) {
  std::string id(delivery_id), time = std::to_string(now / 1000);
  std::string stamped = time + "." + std::string(body);
  http::Headers headers;
  headers.add("Content-Type", "application/cloudevents+json; charset=utf-8");
  headers.add("X-Wharfage-Delivery", id);
  headers.add("X-Wharfage-Timestamp", time);
  headers.add("X-Wharfage-Signature", "sha256=" + hex(crypto::hmac_sha256(secret, stamped)));
  headers.add("webhook-id", id);
  headers.add("webhook-timestamp", time);
  headers.add("webhook-signature",
              "v1," + base64(crypto::hmac_sha256(standard_key(secret), id + "." + stamped)));
  return headers;
}

std::string generate_secret() {
  return std::string(secret_prefix) + base64(random_bytes(32));
}

}  // namespace wharfage::notify
