#include "notify/webhooks.h"

#include <boost/json.hpp>

#include "base/text.h"
#include "crypto/digest.h"
#include "notify/fixture_test.h"
#include "notify/records.h"

using namespace wharfage;
using namespace wharfage::notify;

TEST_CASE("an event is sent, signed, and the delivery kept") {
  Bench bench;
  auto made = bench.add({.event_types = {"image.pushed"}});
  bench.receiver.will_answer(http::Response::text(202, "thank\nyou"));
  bench.emit("image.pushed", 7);
  bench.emit("image.deleted", 7);
  bench.settle();

  REQUIRE(bench.receiver.count() == 1);
  http::Request sent = bench.receiver.at(0);
  CHECK(sent.method == "POST");
  CHECK(sent.target == "/hook?token=1");
  CHECK(sent.headers.get("Content-Type") == "application/cloudevents+json; charset=utf-8");
  std::string stamped = std::string(sent.headers.get("X-Wharfage-Timestamp")) + "." + sent.body;
  CHECK(sent.headers.get("X-Wharfage-Signature") ==
        "sha256=" + hex(crypto::hmac_sha256(made.secret, stamped)));
  auto event = boost::json::parse(sent.body).as_object();
  CHECK(event["type"] == "wharfage.image.pushed");
  CHECK(event["source"] == "wharfage/cri-test");
  CHECK(event["subject"] == "root/app:1");

  auto deliveries = bench.deliveries(made.webhook.id);
  REQUIRE(deliveries.size() == 1);
  CHECK(deliveries[0].id == sent.headers.get("X-Wharfage-Delivery"));
  CHECK(deliveries[0].event_id == event["id"].as_string());
  CHECK(deliveries[0].event_type == "image.pushed");
  CHECK(deliveries[0].state == DeliveryState::delivered);
  CHECK(deliveries[0].status_code == 202);
  CHECK(deliveries[0].attempts == 1);
  CHECK(deliveries[0].response == "thank\nyou");
  CHECK(deliveries[0].error.empty());
  CHECK(deliveries[0].body.empty());
  auto whole = bench.webhooks.get_delivery(made.webhook.id, deliveries[0].id);
  CHECK(whole->body == sent.body);
}

TEST_CASE("a webhook hears its namespace and its types only") {
  Bench bench;
  auto everything = bench.add({.name = "everything"});
  auto ours = bench.add({.name = "ours", .namespace_id = 7, .namespace_name = "ours"});
  auto scans = bench.add({.name = "scans", .event_types = {"build.failed", "scan.*"}});
  auto off = bench.add({.name = "off", .enabled = false});
  bench.emit("image.pushed", 7);
  bench.emit("image.pushed", 8);
  bench.emit("scan.completed", 8);
  bench.emit("scanner.updated", 0);
  bench.settle();
  CHECK(bench.deliveries(everything.webhook.id).size() == 4);
  CHECK(bench.deliveries(ours.webhook.id).size() == 1);
  CHECK(bench.deliveries(scans.webhook.id).size() == 1);
  CHECK(bench.deliveries(off.webhook.id).empty());
  CHECK(bench.receiver.count() == 6);
}

TEST_CASE("a receiver that fails is asked again, later each time, up to a limit") {
  Bench bench;
  auto made = bench.add({});
  bench.receiver.will_answer(http::Response::text(503, std::string(10'000, 'x') + "\xff"));
  bench.emit("image.pushed", 7);
  bench.settle();
  auto only = [&] { return bench.deliveries(made.webhook.id).at(0); };
  CHECK(only().state == DeliveryState::waiting);
  CHECK(only().status_code == 503);
  CHECK(only().error == "the receiver answered 503");
  CHECK(only().response == std::string(limits::webhook_response_max, 'x'));
  bench.clock.advance(limits::webhook_retry_base_ms / 2);
  bench.settle();
  CHECK(bench.receiver.count() == 1);
  REQUIRE(job::eventually([&] {
    bench.clock.advance(limits::job_retry_max_ms);
    bench.settle();
    return only().state == DeliveryState::failed;
  }));
  CHECK(only().attempts == limits::webhook_attempts_max);
  CHECK(bench.receiver.count() == static_cast<std::size_t>(limits::webhook_attempts_max));
  // All attempts carry the same delivery and event.
  CHECK(bench.receiver.at(0).headers.get("X-Wharfage-Delivery") ==
        bench.receiver.at(5).headers.get("X-Wharfage-Delivery"));
  CHECK(bench.receiver.at(0).body == bench.receiver.at(5).body);

  bench.receiver.will_answer(http::Response::text(200, "ok"));
  std::string failed = only().id;
  auto again = bench.webhooks.redeliver(made.webhook.id, failed);
  REQUIRE(again.ok());
  CHECK(again->id != failed);
  bench.settle();
  auto sent = bench.webhooks.get_delivery(made.webhook.id, again->id);
  CHECK(sent->state == DeliveryState::delivered);
  CHECK(bench.receiver.at(6).body == bench.receiver.at(0).body);
}

TEST_CASE("redirects are not followed and long answers are cut off") {
  Bench bench;
  auto made = bench.add({});
  auto redirect = http::Response::text(302, "");
  redirect.headers.add("Location", bench.receiver.site.url("/elsewhere"));
  bench.receiver.will_answer(redirect);
  bench.emit("image.pushed", 7);
  bench.settle();
  CHECK(bench.receiver.count() == 1);
  CHECK(bench.deliveries(made.webhook.id).at(0).error == "the receiver answered 302");

  for (int status : {200, 500}) {
    CAPTURE(status);
    bench.receiver.will_answer(http::Response::text(status, std::string(3'000'000, 'y')));
    auto pinged = bench.webhooks.ping(made.webhook.id);
    REQUIRE(pinged.ok());
    bench.settle();
    auto sent = bench.webhooks.get_delivery(made.webhook.id, pinged->id);
    CHECK(sent->attempts == 1);
    CHECK(sent->state == (status == 200 ? DeliveryState::delivered : DeliveryState::waiting));
    CHECK(sent->response.size() == (status == 200 ? limits::webhook_response_max : 0));
  }
}

TEST_CASE("addresses inside are refused, and not asked again") {
  Bench bench(false);
  auto made = bench.add({});
  bench.emit("image.pushed", 7);
  bench.settle();
  auto delivery = bench.deliveries(made.webhook.id).at(0);
  CHECK(delivery.state == DeliveryState::failed);
  CHECK(delivery.attempts == 1);
  CHECK(delivery.status_code == 0);
  CHECK_FALSE(delivery.error.empty());
  CHECK(bench.receiver.count() == 0);
}

TEST_CASE("what is switched off or removed while it waits is not sent") {
  Bench bench;
  auto off = bench.add({.name = "off"});
  auto gone = bench.add({.name = "gone"});
  bench.receiver.will_answer(http::Response::text(500, ""));
  bench.emit("image.pushed", 7);
  bench.settle();
  CHECK(bench.receiver.count() == 2);
  CHECK(bench.webhooks.update(off.webhook.id, {.enabled = false}).ok());
  CHECK(bench.webhooks.remove(gone.webhook.id).ok());
  bench.clock.advance(limits::job_retry_max_ms);
  bench.settle();
  CHECK(bench.receiver.count() == 2);
  auto delivery = bench.deliveries(off.webhook.id).at(0);
  CHECK(delivery.state == DeliveryState::failed);
  CHECK(delivery.error == "the webhook is disabled");
  CHECK(outcome(bench.webhooks.redeliver(off.webhook.id, delivery.id)) == "conflict");
  CHECK(outcome(bench.webhooks.deliveries(gone.webhook.id, 0, 10)) == "webhook_unknown");
  CHECK(outcome(bench.webhooks.remove(gone.webhook.id)) == "webhook_unknown");
  // A test of what is switched off is what switching it on begins with.
  bench.receiver.will_answer(http::Response::text(200, ""));
  auto pinged = bench.webhooks.ping(off.webhook.id);
  bench.settle();
  CHECK(bench.webhooks.get_delivery(off.webhook.id, pinged->id)->state == DeliveryState::delivered);
  CHECK(boost::json::parse(bench.receiver.at(2).body).at("type") == "wharfage.webhook.ping");
}

TEST_CASE("a receiver that is down fills neither queue nor database") {
  Bench bench;
  auto made = bench.add({});
  bench.events.stop();
  bench.queue.stop();
  Status filled = bench.fixture.db->write([&](meta::Tx& tx) -> Status {
    for (int i = 1; i < limits::webhook_waiting_max; ++i) {
      Delivery waiting{.id = std::to_string(i), .webhook_id = made.webhook.id};
      TRY_STATUS(records::insert_delivery(tx, waiting));
    }
    return {};
  });
  REQUIRE(filled.ok());
  CHECK(bench.webhooks.ping(made.webhook.id).ok());
  CHECK(outcome(bench.webhooks.ping(made.webhook.id)) == "quota_exceeded");
  auto other = bench.add({.name = "other"});
  CHECK(bench.webhooks.ping(other.webhook.id).ok());
}

TEST_CASE("secrets are sealed, shown once and kept when sent back masked") {
  Bench bench;
  auto made = bench.add({.secret = "a secret of mine"});
  CHECK(made.secret == "a secret of mine");
  CHECK(bench.add({}).secret.substr(0, 6) == "whsec_");
  CHECK(bench.fixture.bytes_on_disk().find("a secret of mine") == std::string::npos);
  CHECK(bench.webhooks.update(made.webhook.id, {.secret = std::string(masked_secret)}).ok());
  auto signed_with = [&](const std::string& secret) {
    std::size_t before = bench.receiver.count();
    REQUIRE(bench.webhooks.ping(made.webhook.id).ok());
    bench.settle();
    http::Request sent = bench.receiver.at(before);
    std::string stamped = std::string(sent.headers.get("X-Wharfage-Timestamp")) + "." + sent.body;
    return sent.headers.get("X-Wharfage-Signature") == "sha256=" + hex(crypto::hmac_sha256(secret, stamped));
  };
  CHECK(signed_with("a secret of mine"));
  CHECK(bench.webhooks.update(made.webhook.id, {.secret = "another secret"}).ok());
  CHECK_FALSE(signed_with("a secret of mine"));
  CHECK(signed_with("another secret"));
}

TEST_CASE("what a webhook may be") {
  Bench bench;
  auto refused = [&](Webhooks::NewWebhook wanted) {
    if (wanted.name.empty()) wanted.name = "hook";
    auto made = bench.webhooks.create(wanted);
    return made.ok() ? "" : made.error().detail;
  };
  const std::string url = "https://example.com/hook";
  CHECK(refused({.url = url, .event_types = {"*", "image.pushed", "scan.*"}}) == "");
  CHECK(refused({.name = "a\nb", .url = url}) == "name");
  CHECK(refused({.name = std::string(129, 'n'), .url = url}) == "name");
  for (std::string bad : {"", "ftp://example.com", "file:///etc/passwd", "https://user:pw@example.com/",
                          "https://exa mple.com/", "javascript:alert(1)"}) {
    CAPTURE(bad);
    CHECK(refused({.url = bad}) == "url");
  }
  CHECK(refused({.url = url + std::string(limits::webhook_url_max, 'x')}) == "url");
  for (std::string bad : {"", ".", "image.", "Image.pushed", "*.pushed", "image.*.x", "a\nb", "image.push",
                          "images.*", "image.p*", ".*"}) {
    CAPTURE(bad);
    CHECK(refused({.url = url, .event_types = {bad}}) == "event_types");
  }
  CHECK(refused({.url = url, .event_types = std::vector<std::string>(65, "image.pushed")}) == "event_types");
  CHECK(refused({.url = url, .secret = "short"}) == "secret");
  auto made = bench.add({});
  CHECK(outcome(bench.webhooks.update(made.webhook.id, {.url = "nonsense"})) == "invalid_parameter");
  CHECK(bench.webhooks.get(made.webhook.id)->url == made.webhook.url);
  auto changed = bench.webhooks.update(made.webhook.id, {.name = "new", .event_types = {{"scan.*"}}});
  CHECK(changed->name == "new");
  CHECK(changed->event_types == std::vector<std::string>{"scan.*"});
  CHECK(changed->url == made.webhook.url);
  for (std::int64_t i = bench.webhooks.list(0, 0, 1)->total; i < limits::webhooks_max; ++i) bench.add({});
  CHECK(outcome(bench.webhooks.create({.name = "one too many", .url = url})) == "quota_exceeded");
}

TEST_CASE("old deliveries are dropped as new ones come") {
  Bench bench;
  auto made = bench.add({});
  bench.emit("image.pushed", 7);
  bench.settle();
  bench.clock.advance(limits::webhook_delivery_kept_ms + 1);
  bench.emit("image.deleted", 7);
  bench.settle();
  auto deliveries = bench.deliveries(made.webhook.id);
  REQUIRE(deliveries.size() == 1);
  CHECK(deliveries[0].event_type == "image.deleted");
}
