#include "http/exchange.h"

#include <exception>

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

void Exchange::run_handler() noexcept {
  guarded([&] { response = buffered.handle(head.request); });
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

}  // namespace wharfage::http
