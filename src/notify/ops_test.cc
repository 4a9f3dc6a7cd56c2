#include "notify/ops.h"

#include "notify/fixture_test.h"

using namespace wharfage;
using namespace wharfage::notify;
using auth::Role;

namespace {

constexpr std::int64_t ours = 7, theirs = 8;

struct Callers : Bench {
  template <class Operation>
  std::string told(const Principal& who, const typename Operation::Request& request) {
    return outcome(call<Operation>(webhooks, who, request));
  }
  Principal root = fixture.user("root", true), alice = fixture.user("alice"), dev = fixture.user("dev");
  Callers() {
    fixture.grant(alice, ours, Role::maintainer);
    fixture.grant(dev, ours, Role::developer);
  }
};

}  // namespace

TEST_CASE("webhooks belong to those who manage their namespace") {
  Callers a;
  std::string url = a.receiver.site.url("/");
  auto wanted = [&](std::int64_t in) {
    return Webhooks::NewWebhook{.name = "w", .url = url, .namespace_id = in, .namespace_name = "n"};
  };
  const Principal nobody = Principal::anonymous();
  CHECK(a.told<CreateWebhook>(nobody, wanted(ours)) == "unauthenticated");
  CHECK(a.told<CreateWebhook>(a.dev, wanted(ours)) == "denied");
  CHECK(a.told<CreateWebhook>(a.alice, wanted(theirs)) == "namespace_unknown");
  CHECK(a.told<ListWebhooks>(a.alice, {.namespace_id = theirs}) == "namespace_unknown");
  CHECK(a.told<CreateWebhook>(a.alice, wanted(0)) == "denied");
  auto mine = a.call<CreateWebhook>(a.webhooks, a.alice, wanted(ours));
  REQUIRE(mine.ok());
  auto general = a.call<CreateWebhook>(a.webhooks, a.root, wanted(0));
  REQUIRE(general.ok());

  CHECK(a.told<ListWebhooks>(a.alice, {.namespace_id = ours}) == "ok");
  CHECK(a.told<ListWebhooks>(a.alice, {}) == "denied");
  CHECK(a.call<ListWebhooks>(a.webhooks, a.root, {})->total == 2);
  CHECK(a.call<ListWebhooks>(a.webhooks, a.alice, {.namespace_id = ours})->items.at(0).id ==
        mine->webhook.id);

  for (std::int64_t id : {mine->webhook.id, general->webhook.id, std::int64_t{999}}) {
    bool own = id == mine->webhook.id;
    CAPTURE(id);
    for (const auto& [who, expected] :
         {std::pair(a.alice, own ? "ok" : "webhook_unknown"), std::pair(a.dev, "webhook_unknown"),
          std::pair(nobody, id == 999 ? "webhook_unknown" : "unauthenticated"),
          std::pair(a.root, id == 999 ? "webhook_unknown" : "ok")}) {
      CAPTURE(who.name);
      CHECK(a.told<GetWebhook>(who, {id}) == expected);
      CHECK(a.told<UpdateWebhook>(who, {id, {.name = "changed"}}) == expected);
      CHECK(a.told<ListDeliveries>(who, {.id = id}) == expected);
      CHECK(a.told<PingWebhook>(who, {id}) == expected);
    }
  }
}

TEST_CASE("a delivery is found below its own webhook only") {
  Callers a;
  auto mine = a.add({.name = "mine", .namespace_id = ours});
  auto other = a.add({.name = "other", .namespace_id = theirs});
  auto foreign = a.webhooks.ping(other.webhook.id);
  REQUIRE(foreign.ok());
  CHECK(a.told<GetDelivery>(a.alice, {mine.webhook.id, foreign->id}) == "delivery_unknown");
  CHECK(a.told<Redeliver>(a.alice, {mine.webhook.id, foreign->id}) == "delivery_unknown");
  CHECK(a.told<GetDelivery>(a.alice, {other.webhook.id, foreign->id}) == "webhook_unknown");
  auto own = a.call<PingWebhook>(a.webhooks, a.alice, {mine.webhook.id});
  REQUIRE(own.ok());
  CHECK(a.told<GetDelivery>(a.alice, {mine.webhook.id, own->id}) == "ok");
  CHECK(a.told<Redeliver>(a.alice, {mine.webhook.id, own->id}) == "ok");
  CHECK(a.told<DeleteWebhook>(a.dev, {mine.webhook.id}) == "webhook_unknown");
  CHECK(a.told<DeleteWebhook>(a.alice, {mine.webhook.id}) == "ok");
  CHECK(a.told<GetWebhook>(a.alice, {mine.webhook.id}) == "webhook_unknown");
}

TEST_CASE("jobs are the administrators'") {
  Callers a;
  Jobs room{*a.fixture.db, a.queue};
  auto id = a.fixture.db->write(
      [&](meta::Tx& tx) { return a.queue.enqueue(tx, {.kind = "nobody.runs.this", .subject = "s"}); });
  REQUIRE(id.ok());
  auto told = [&](auto operation, const Principal& who, const auto& request) {
    return outcome(a.call<decltype(operation)>(room, who, request));
  };
  for (const auto& [who, expected] : {std::pair(Principal::anonymous(), "unauthenticated"),
                                      std::pair(a.alice, "denied"), std::pair(a.root, "ok")}) {
    CAPTURE(who.name);
    CHECK(told(ListJobs{}, who, ListJobs::Request{}) == expected);
    CHECK(told(GetJob{}, who, GetJob::Request{*id}) == expected);
    CHECK(told(GetJobLog{}, who, GetJobLog::Request{*id}) == expected);
    CHECK(told(CancelJob{}, who, CancelJob::Request{*id}) == expected);
  }
  CHECK(told(CancelJob{}, a.root, CancelJob::Request{*id}) == "task_finished");
  CHECK(told(GetJob{}, a.root, GetJob::Request{"nothing"}) == "job_unknown");
  CHECK(a.call<GetJob>(room, a.root, {*id})->state == job::State::canceled);
  CHECK(a.call<ListJobs>(room, a.root, {.kind = "nobody.runs.this"})->total == 1);
}
