// An HTTP/2 client for the tests of this room: libnghttp2's client session over a raw TLS connection, which
// can also say frames that no client would.
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/test_tls.h"

namespace wharfage::http {

class H2Peer {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Answer {
    int status = 0, interim = 0;
    Headers headers;
    std::string body;
    bool ended = false, closed = false;  // the answer is complete; the stream is gone
    std::uint32_t error = 0;
    std::optional<std::string> to_send;  // what is left of the request's body
    bool endless = false;                // do not end the body when that is sent
    std::size_t sent = 0;
  };

  explicit H2Peer(std::uint16_t port, bool takes_bodies = true, std::uint32_t window = 1 << 20)
      : x_tls(port, {.protocols = "\x02h2"}) {
    REQUIRE(x_tls.connected);
    REQUIRE(x_tls.protocol() == "h2");
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, takes_bodies ? 0 : 1);
    nghttp2_option_set_max_send_header_block_length(option, 1 << 20);
    nghttp2_session_client_new2(&session, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &entry, 1);
    flush();
  }
  ~H2Peer() { nghttp2_session_del(session); }
  H2Peer(const H2Peer&) = delete;
  H2Peer& operator=(const H2Peer&) = delete;

  std::int32_t submit(std::string method, std::string path, Fields more = {},
                      std::optional<std::string> body = {}, bool endless = false) {
    Fields fields{{":method", method}, {":scheme", "https"}, {":authority", "h"}, {":path", path}};
    fields.insert(fields.end(), more.begin(), more.end());
    std::vector<nghttp2_nv> list;
    for (auto& [name, value] : fields) {
      list.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{{.ptr = nullptr}, on_read};
    std::int32_t id = nghttp2_submit_request(session, nullptr, list.data(), list.size(),
                                             body ? &provider : nullptr, nullptr);
    answers[id].to_send = std::move(body);
    answers[id].endless = endless;
    return id;
  }

  // False when the server has gone.
  bool flush() {
    const std::uint8_t* data = nullptr;
    ssize_t size = 0;
    std::string all;
    while ((size = nghttp2_session_mem_send(session, &data)) > 0) {
      all.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    return x_tls.say(all);
  }
  bool say(std::string_view frames) { return x_tls.say(frames); }
  bool hear() {
    std::string heard = x_tls.hear_some();
    if (heard.empty()) return false;
    nghttp2_session_mem_recv(session, reinterpret_cast<const std::uint8_t*>(heard.data()), heard.size());
    return flush();
  }
  template <class Condition>
  bool hear_until(Condition met) {
    flush();
    while (!met()) {
      if (!hear()) return met();
    }
    return true;
  }
  // The whole answer, or what there was of it when the stream ended.
  Answer& answer(std::int32_t id) {
    hear_until([&] { return answers[id].ended || answers[id].closed; });
    return answers[id];
  }
  Answer& ask(std::string method, std::string path, Fields more = {}, std::optional<std::string> body = {}) {
    return answer(submit(std::move(method), std::move(path), std::move(more), std::move(body)));
  }
  // The error code of the server's last GOAWAY; nothing when it left without one.
  std::optional<std::uint32_t> farewell() {
    while (hear()) {
    }
    return goaway;
  }
  // Likewise, past a client's session that would object to what it is told after a flood.
  std::optional<std::uint32_t> raw_farewell() {
    std::string heard, more;
    while (!(more = x_tls.hear_some()).empty()) heard += more;
    auto number = [&](std::size_t at, std::size_t size) {
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(heard[at + i]);
      return value;
    };
    constexpr std::size_t frame_head = 9, code_at = frame_head + 4;
    for (std::size_t at = 0; at + frame_head <= heard.size(); at += frame_head + number(at, 3)) {
      if (heard[at + 3] == NGHTTP2_GOAWAY && at + code_at + 4 <= heard.size()) return number(at + code_at, 4);
    }
    return std::nullopt;
  }
  void leave() { x_tls.leave(); }

  nghttp2_session* session = nullptr;
  std::map<std::int32_t, Answer> answers;
  std::optional<std::uint32_t> goaway;

 private:
  static H2Peer& self(void* user) { return *static_cast<H2Peer*>(user); }
  static std::uint8_t* bytes(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t size, const std::uint8_t* value, std::size_t length, std::uint8_t,
                       void* user) {
    Answer& answer = self(user).answers[frame->hd.stream_id];
    std::string key(reinterpret_cast<const char*>(name), size);
    std::string text(reinterpret_cast<const char*>(value), length);
    if (key != ":status") {
      answer.headers.add(key, text);
    } else if (text.starts_with('1')) {
      ++answer.interim;
    } else {
      answer.status = std::stoi(text);
    }
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) self(user).goaway = frame->goaway.error_code;
    bool answers = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (answers && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
      self(user).answers[frame->hd.stream_id].ended = true;
    }
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    self(user).answers[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    self(user).answers[id].closed = true;
    self(user).answers[id].error = error;
    return 0;
  }
  static ssize_t on_read(nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                         std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Answer& answer = self(user).answers[id];
    std::string& left = *answer.to_send;
    if (left.size() == answer.sent && answer.endless) return NGHTTP2_ERR_DEFERRED;
    std::size_t count = std::min(size, left.size() - answer.sent);
    left.copy(reinterpret_cast<char*>(buffer), count, answer.sent);
    answer.sent += count;
    if (answer.sent == left.size() && !answer.endless) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  TlsPeer x_tls;
};

}  // namespace wharfage::http
