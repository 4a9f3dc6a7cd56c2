// One HTTP/2 connection's bytes behind a proper preface: the first byte is the size of the pieces they come
// in and how their owner answers. Whatever comes, events must make sense, what a client can make us hold is
// bounded, and windows are given back.
#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "http/h2_session.h"
#include "http/limits.h"
#include "input.h"

using namespace wharfage;
using http::H2Session;

namespace {

constexpr std::size_t output_max = 4 * 1024 * 1024;  // of one input

class Owner final : public H2Session::Events {
 public:
  explicit Owner(bool answers_late) : x_answers_late(answers_late) {}

  void on_request(H2Session::StreamId id, http::Head head, std::optional<http::Fault> fault) override {
    fuzz::demand(!x_streams.contains(id) && id % 2 == 1);
    Stream& stream = x_streams[id];
    fuzz::demand(x_streams.size() <= limits::h2_streams_max);
    if (fault) fuzz::demand(fault->status >= 400 && fault->status <= 505);
    if (!fault) fuzz::demand(head.request.target == "*" || head.request.target.starts_with('/'));
    for (const auto& [name, value] : head.request.headers.fields()) fuzz::demand(http::is_token(name));
    if (head.expects_continue) session->go_on(id);
    stream.ended = head.framing == http::Framing::none;
    if (fault || !x_answers_late || stream.ended) answer(id, stream);
  }
  void on_body(H2Session::StreamId id, std::string_view bytes) override {
    if (x_streams.contains(id)) fuzz::demand(!x_streams[id].ended);
    x_held[id] += bytes.size();
    x_held_in_all += bytes.size();
    fuzz::demand(x_held_in_all <= limits::h2_connection_window);
    if (x_answers_late && x_held_in_all < limits::h2_stream_window) return;
    for (const auto& [stream, count] : x_held) session->consume(stream, count);
    x_held.clear();
    x_held_in_all = 0;
  }
  void on_body_end(H2Session::StreamId id) override {
    auto found = x_streams.find(id);
    if (found == x_streams.end()) return;
    found->second.ended = true;
    if (!found->second.answered) answer(id, found->second);
  }
  void on_close(H2Session::StreamId id) override { x_streams.erase(id); }
  std::optional<H2Session::Piece> read_reply(H2Session::StreamId id, char* buffer,
                                             std::size_t size) override {
    auto found = x_streams.find(id);
    fuzz::demand(found != x_streams.end() && found->second.answered && found->second.left > 0);
    if (id % 7 == 0) return std::nullopt;
    std::size_t count = std::min(size, found->second.left);
    std::memset(buffer, 'x', count);
    found->second.left -= count;
    return H2Session::Piece{count, found->second.left == 0};
  }

  H2Session* session = nullptr;

 private:
  struct Stream {
    bool ended = false, answered = false;
    std::size_t left = 20'000;
  };

  void answer(H2Session::StreamId id, Stream& stream) {
    stream.answered = true;
    session->widen(id, limits::h2_upload_window);
    if (id % 5 == 0) return session->reset(id);
    session->respond(id, {{":status", "200"}, {"content-type", "text/plain"}}, id % 3 != 0);
  }

  bool x_answers_late;
  std::map<H2Session::StreamId, std::size_t> x_held;  // received and not consumed yet
  std::size_t x_held_in_all = 0;
  std::map<H2Session::StreamId, Stream> x_streams;
};

// Everything the session has to say, up to a bound.
void drain(H2Session& session, std::size_t& said) {
  for (std::string_view bytes; !(bytes = session.output()).empty();) {
    said += bytes.size();
    if (said > output_max) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t piece = data[0] % 64 + 1;
  Owner owner((data[0] & 64) != 0);
  H2Session session(owner);
  owner.session = &session;
  std::string text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
  text += fuzz::text_of(data + 1, size - 1);
  std::string_view rest = text;
  std::size_t said = 0;
  std::int64_t now = 1;
  while (!rest.empty() && said < output_max) {
    if (!session.receive(rest.substr(0, piece), now++)) break;
    rest.remove_prefix(std::min(piece, rest.size()));
    drain(session, said);
    if ((data[0] & 128) != 0 && rest.size() < size / 2) session.go_away();
  }
  drain(session, said);
  return 0;
}
