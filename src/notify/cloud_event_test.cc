#include "notify/cloud_event.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>

using namespace wharfage;
using namespace wharfage::notify;

TEST_CASE("an event becomes a CloudEvent") {
  job::Event event{"0b5c3a2e-0000-4000-8000-000000000001", "image.pushed",   "root/app:1.0", 7,
                   R"({"digest":"sha256:00","size":12})",  1'795'314'163'123};
  CHECK(cloud_event(event, "wharfage/cri-abc") ==
        R"({"specversion":"1.0","id":"0b5c3a2e-0000-4000-8000-000000000001","source":"wharfage/cri-abc",)"
        R"("type":"wharfage.image.pushed","subject":"root/app:1.0","time":"2026-11-22T02:22:43.123Z",)"
        R"("datacontenttype":"application/json","data":{"digest":"sha256:00","size":12}})");
  event.subject = "";  // the attribute may be left out, not empty
  event.data = "not JSON";
  auto parsed = boost::json::parse(cloud_event(event, "s")).as_object();
  CHECK_FALSE(parsed.contains("subject"));
  CHECK(parsed["data"].as_object().empty());
}

// Signatures computed with Python's hmac; the first webhook-signature is also the Standard Webhooks example.
TEST_CASE("deliveries are signed with their time") {
  const std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek", body = R"({"test": 2432232314})";
  auto headers = signed_headers("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id, 1'614'265'330'999, body);
  CHECK(headers.get("Content-Type") == "application/cloudevents+json; charset=utf-8");
  CHECK(headers.get("X-Wharfage-Delivery") == id);
  CHECK(headers.get("X-Wharfage-Timestamp") == "1614265330");
  CHECK(headers.get("X-Wharfage-Signature") ==
        "sha256=2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964");
  CHECK(headers.get("webhook-id") == id);
  CHECK(headers.get("webhook-timestamp") == "1614265330");
  CHECK(headers.get("webhook-signature") == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  headers = signed_headers("plain secret", id, 1'614'265'330'000, body);
  CHECK(headers.get("webhook-signature") == "v1,gke7k785FD6W2FuaDcrvG3sQcmFE9YVaaAmarK4oi68=");
}

TEST_CASE("generated secrets differ and are long") {
  CHECK(generate_secret().substr(0, 6) == "whsec_");
  CHECK(generate_secret().size() == 6 + 44);
  CHECK(generate_secret() != generate_secret());
}
