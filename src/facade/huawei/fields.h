// What several of Huawei's answers have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "wire/schema.h"

namespace wharfage::huawei {

struct IdReply {
  std::int32_t id = 0;
  static constexpr auto fields() { return std::array{wire::field<&IdReply::id>("id")}; }
};

// When a policy runs, of signing and of replication.
struct TriggerSettings {
  std::optional<std::string> cron;
  static constexpr auto fields() { return std::array{wire::field<&TriggerSettings::cron>("cron")}; }
};
struct Trigger {
  std::string type;
  std::optional<TriggerSettings> trigger_settings;
  static constexpr auto fields() {
    return std::array{
        wire::field<&Trigger::type>("type", wire::required).one_of("manual|scheduled|event_based"),
        wire::field<&Trigger::trigger_settings>("trigger_settings")};
  }
};

// Ids and counts are below 2^31 here (int32 on the wire).
inline std::int32_t narrow(std::int64_t number) {
  return static_cast<std::int32_t>(number);
}

// What has not happened yet has the first time there is.
inline std::string time_text(TimeMs time) {
  return time ? rfc3339(time) : "0001-01-01T00:00:00Z";
}

}  // namespace wharfage::huawei
