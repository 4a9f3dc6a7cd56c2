// What the two halves of this room (keeping webhooks, sending deliveries) agree on.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace wharfage::notify {

constexpr std::string_view ping_type = "webhook.ping";

// Everything that rooms emit; also named in docs/operate/webhooks.md.
constexpr std::array<std::string_view, 17> event_types{
    "build.canceled",      "build.completed", "build.failed",
    "image.deleted",       "image.purged",    "image.pushed",
    "inventory.completed", "quota.warning",   "repository.deleted",
    "repository.purged",   "scan.completed",  "scan.failed",
    "sign.completed",      "sign.failed",     "sync.completed",
    "sync.failed",         ping_type};

// The vault binds a secret to its row.
inline std::string secret_purpose(std::int64_t webhook_id) {
  return "webhook:" + std::to_string(webhook_id) + ":secret";
}

// A job's payload; ids are UUIDs.
inline std::string delivery_payload(const std::string& delivery_id) {
  return R"({"delivery":")" + delivery_id + R"("})";
}

}  // namespace wharfage::notify
