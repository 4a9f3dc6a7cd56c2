// Webhooks and what was sent to them, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace wharfage::notify {

struct Webhook {
  std::int64_t id = 0;
  std::string name;
  std::string url;                       // may carry a token in its query: never logged
  std::vector<std::string> event_types;  // "image.pushed", "scan.*"; empty or "*": everything
  std::int64_t namespace_id = 0;         // 0: the events of the whole installation
  std::string namespace_name;
  bool enabled = true;
  TimeMs created_at = 0, updated_at = 0;
};

enum class DeliveryState { waiting, delivered, failed };
std::string_view delivery_state_name(DeliveryState state);

struct Delivery {
  std::string id;  // UUID: X-Wharfage-Delivery
  std::int64_t webhook_id = 0;
  std::string event_id, event_type, subject;
  DeliveryState state = DeliveryState::waiting;
  int attempts = 0;
  int status_code = 0;   // of the last answer; 0: there was none
  std::string error;     // of the last attempt that failed
  std::string response;  // the beginning of the last answer's body
  std::string body;      // what is sent; only where one delivery is asked for
  TimeMs created_at = 0, updated_at = 0;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;  // of deliveries counted up to limits::job_count_max
};

}  // namespace wharfage::notify
