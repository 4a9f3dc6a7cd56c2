#include "http/exchange.h"

#include <exception>

#include "http/limits.h"

namespace wharfage::http {

template <class Call>
void Exchange::guarded(Call call) noexcept {
  try {
    call();
  } catch (const std::exception& caught) {
    failure = caught.what();
    if (failure.empty()) failure = "unnamed exception";
  } catch (...) {
    failure = "unknown exception";
  }
  if (!failure.empty()) response.reset();
  if (response || !failure.empty()) sink.reset();
}

void Exchange::run_handler(Budget& unsent_answers) noexcept {
  guarded([&] {
    response = buffered.handle(head.request);
    count_answer(unsent_answers);
  });
}

// Here already, because many answers may wait for the loop.
void Exchange::count_answer(Budget& unsent_answers) {
  auto text = std::get_if<std::string>(&response->body);
  if (text == nullptr || text->size() <= limits::uncounted_bytes) return;
  unaffordable = !unsent.grow(unsent_answers, text->size());
  if (unaffordable) response.emplace();
}

void Exchange::run_open() noexcept {
  guarded([&] {
    auto opened = streamed.open(head.request);
    if (auto early = std::get_if<Response>(&opened)) {
      response = std::move(*early);
    } else {
      sink = std::move(std::get<std::unique_ptr<BodySink>>(opened));
      if (!sink) failure = "no sink was given";
    }
  });
}

void Exchange::run_write(std::string_view chunk, bool last) noexcept {
  guarded([&] {
    Status written = chunk.empty() ? Status() : sink->write(chunk);
    if (!written.ok()) {
      response = sink->refuse(written.error());
    } else if (last) {
      response = sink->finish();
      finished = true;
    }
  });
}

void Exchange::run_turn(Intake& intake, Buffers& buffers) noexcept {
  blocked = Io::done;
  if (!sink) run_open();
  if (!sink) return;
  guarded([&] { take_in(intake, buffers); });  // no memory for a buffer, for one
}

void Exchange::take_in(Intake& intake, Buffers& buffers) {
  feed(intake.take_early(), intake);
  if (!wants_more(intake)) return;
  Buffers::Loan loan(buffers);
  for (std::size_t taken = 0; taken < limits::stream_turn_bytes && blocked == Io::done;) {
    std::size_t size = intake.fill(loan.bytes(), limits::stream_buffer_bytes, blocked);
    taken += size;
    feed({loan.bytes(), size}, intake);
    if (!wants_more(intake)) return;
  }
}

// What is left of a body behind broken framing is not written.
void Exchange::feed(std::string_view bytes, const Intake& intake) {
  bool last = intake.complete();
  if (intake.malformed() || (bytes.empty() && !last)) return;
  run_write(bytes, last);
}

bool Exchange::wants_more(const Intake& intake) const {
  return sink != nullptr && !intake.complete() && !intake.malformed();
}

}  // namespace wharfage::http
