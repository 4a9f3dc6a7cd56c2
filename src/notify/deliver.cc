#include <array>

#include "base/limits.h"
#include "base/text.h"
#include "job/lines.h"
#include "notify/cloud_event.h"
#include "notify/records.h"
#include "notify/terms.h"
#include "notify/webhooks.h"
#include "wire/schema.h"

namespace wharfage::notify {
namespace {

struct Payload {
  std::string delivery;
  static constexpr auto fields() {
    return std::array{wire::field<&Payload::delivery>("delivery", wire::required)};
  }
};

// What a receiver answers is not needed but for its beginning; after this much it is cut off.
constexpr std::size_t answer_max = 64 * 1024;

struct Answer {
  int status = 0;
  std::string head;
};

Result<Answer> post(http::Client& client, const std::string& url, http::Headers headers, std::string body,
                    const job::Run& run) {
  Answer answer;
  bool long_answer = false;
  http::ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = std::move(headers);
  request.body = std::move(body);
  request.response_max = answer_max;
  request.follow_redirects = false;
  request.total_timeout_ms = limits::webhook_timeout_ms;
  request.canceled = [&run] { return run.canceled(); };
  // Called for a 2xx answer only: then the event has arrived, however much is still to come.
  request.body_sink = [&](std::string_view chunk) -> Status {
    answer.status = 200;
    answer.head += chunk.substr(0, answer_max - answer.head.size());
    long_answer = answer.head.size() == answer_max;
    return long_answer ? Status(fail(Reason::too_large)) : Status();
  };
  auto response = client.send(request);
  if (!response.ok()) {
    if (long_answer) return answer;
    return response.error();
  }
  answer.status = response->status;
  if (answer.head.empty()) answer.head = response->body;
  return answer;
}

bool delivered(const Answer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

}  // namespace

Status Webhooks::deliver(job::Run& run) {
  TRY(auto payload, wire::decode_json<Payload>(run.job().payload));
  std::optional<Delivery> delivery;
  std::optional<records::Stored> to;
  TRY_STATUS(x_db.read([&](meta::Tx& tx) -> Status {
    TRY(delivery, records::find_delivery(tx, payload.delivery));
    if (!delivery) return {};
    TRY(to, records::find(tx, delivery->webhook_id));
    return {};
  }));
  if (!delivery || !to) return {};  // removed meanwhile
  if (delivery->state != DeliveryState::waiting) return {};
  if (!to->webhook.enabled && delivery->event_type != ping_type) {
    return fail(Reason::conflict, "the webhook is disabled");
  }
  TRY(auto secret, x_vault.unseal(to->sealed_secret, secret_purpose(to->webhook.id)));

  auto headers = signed_headers(secret, delivery->id, x_clock.now(), delivery->body);
  auto answer = post(x_client, to->webhook.url, std::move(headers), delivery->body, run);
  if (!answer.ok() && run.canceled()) return fail(run.why());
  ++delivery->attempts;
  delivery->status_code = answer.ok() ? answer->status : 0;
  delivery->response =
      answer.ok() ? cut(job::printable(answer->head), limits::webhook_response_max) : std::string();
  if (answer.ok() && delivered(*answer)) return record(run, *delivery, {});
  if (answer.ok()) {
    return record(run, *delivery,
                  fail(Reason::remote_failed, "the receiver answered " + std::to_string(answer->status)));
  }
  bool large = answer.error().reason == Reason::too_large;
  return record(run, *delivery,
                large ? fail(Reason::remote_failed, "the receiver refused, at length") : answer.error());
}

// Stores what came of an attempt; a delivery and its job succeed together.
Status Webhooks::record(job::Run& run, const Delivery& attempted, const Status& outcome) {
  Delivery delivery = attempted;
  delivery.updated_at = x_clock.now();
  if (outcome.ok()) {
    delivery.state = DeliveryState::delivered;
    delivery.error.clear();
    return run.complete([&](meta::Tx& tx) { return records::update_delivery(tx, delivery); });
  }
  delivery.error = cut(job::printable(outcome.error().message), limits::job_error_max);
  TRY_STATUS(run.commit([&](meta::Tx& tx) { return records::update_delivery(tx, delivery); }));
  return outcome;
}

Status Webhooks::settle(meta::Tx& tx, const job::Job& job, const Error& error) {
  auto payload = wire::decode_json<Payload>(job.payload);
  if (!payload.ok()) return {};
  std::string message = cut(job::printable(error.message), limits::job_error_max);
  return records::fail_delivery(tx, payload->delivery, message, x_clock.now());
}

}  // namespace wharfage::notify
