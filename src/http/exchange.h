// One request and what becomes of it. Shared between its connection and the worker that serves it, never
// used by both at a time: the loop hands it over by a task and gets it back by the task's end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/budget.h"
#include "http/buffers.h"
#include "http/head.h"
#include "http/intake.h"
#include "http/server.h"

namespace wharfage::http {

struct Exchange {
  Head head;
  Buffered buffered;
  Streamed streamed;
  std::unique_ptr<BodySink> sink;    // made, used and destroyed on workers only
  std::optional<Response> response;  // set when the answer is known
  std::string failure;               // what a handler threw; empty when it did not
  bool finished = false;             // the sink has seen the whole body
  bool unaffordable = false;         // there was an answer, but no memory that it could wait in
  Io blocked = Io::done;             // what the last turn ended for; done: others get theirs first
  Share held, received, unsent;  // of the memory that all requests and responses share: head, body, answer
  std::int64_t started_us = 0;
  std::int64_t bytes_sent = 0;

  // Each runs on a worker and lets nothing escape.
  void run_handler(Budget& unsent_answers) noexcept;
  void run_open() noexcept;
  void run_write(std::string_view chunk, bool last) noexcept;
  // Opens the sink unless it is open, and feeds it with what is there, so that one core receives, hashes and
  // writes a byte while its cache holds it. A turn is bounded: others wait for workers, too.
  void run_turn(Intake& intake, Buffers& buffers) noexcept;

 private:
  void take_in(Intake& intake, Buffers& buffers);
  void feed(std::string_view bytes, const Intake& intake);
  bool wants_more(const Intake& intake) const;
  template <class Call>
  void guarded(Call call) noexcept;
  void count_answer(Budget& unsent_answers);
};

}  // namespace wharfage::http
