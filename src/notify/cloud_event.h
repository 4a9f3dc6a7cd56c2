// The wire form of a delivery: a CloudEvents 1.0 event in structured JSON (cloudevents spec, JSON format
// 3.2), and its signatures. A receiver that knows the webhook's secret checks
//   X-Wharfage-Signature: sha256=<hex HMAC-SHA256(secret, X-Wharfage-Timestamp + "." + body)>
// or, with a Standard Webhooks library,
//   webhook-signature: v1,<base64 HMAC-SHA256(key, webhook-id + "." + time + "." + body)>
// where key is the base64-decoded rest of a secret "whsec_…", else the secret itself. Both cover the time, so
// an old delivery can be refused; the event's id tells repeated ones apart.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"
#include "job/events.h"

namespace wharfage::notify {

// `source` is a URI reference: "wharfage/cri-…". Types get the prefix "wharfage.".
std::string cloud_event(const job::Event& event, std::string_view source);

// `delivery_id` stays the same for the retries of one delivery; times are whole seconds.
http::Headers signed_headers(std::string_view secret, std::string_view delivery_id, TimeMs now,
                             std::string_view body);

std::string generate_secret();  // "whsec_" + base64 of 32 random bytes

}  // namespace wharfage::notify
