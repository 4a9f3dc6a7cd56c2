#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

#include <cstring>

#include "http/h2_head.h"
#include "http/limits.h"
#include "http/patience.h"

namespace wharfage::http {

struct H2Session::State {
  explicit State(Events& owner) : events(owner) {}
  ~State() { nghttp2_session_del(session); }

  Events& events;
  nghttp2_session* session = nullptr;
  Patience patience{limits::h2_patience, limits::h2_patience_per_second};
  std::int64_t now_ms = 0;
  H2Head head;  // of the request or trailer that is being received
  std::optional<std::int64_t> head_begun_ms;
  bool calm = true;  // false: the client was told to enhance it

  void spend(std::int64_t cost) {
    if (patience.spend(cost, now_ms) || !calm) return;
    calm = false;
    nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
  }
};

namespace {

using State = H2Session::State;

// Runs `call` for a callback of libnghttp2, through which no exception may pass.
template <class Call>
int guarded(void* user, Call call) {
  try {
    call(*static_cast<State*>(user));
    return 0;
  } catch (...) {
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

bool ends_stream(const nghttp2_frame_hd& head) {
  return (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

// What a frame costs that may be there only to keep us busy.
std::int64_t cost_of(const nghttp2_frame_hd& head) {
  switch (head.type) {
    case NGHTTP2_HEADERS:
      return 0;
    case NGHTTP2_DATA:
      return head.length == 0 && !ends_stream(head) ? 1 : 0;
    case NGHTTP2_RST_STREAM:
      return limits::h2_reset_cost;
    default:
      return 1;
  }
}

int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
  return guarded(user, [&](State& state) { state.spend(cost_of(*head)); });
}

int on_begin_headers(nghttp2_session*, const nghttp2_frame*, void* user) {
  return guarded(user, [&](State& state) {
    state.head = {};
    state.head_begun_ms = state.now_ms;
  });
}

int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
              const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
  return guarded(user, [&](State& state) { state.head.add(view(name, name_size), view(value, value_size)); });
}

// A head that comes after the body is a trailer, and dropped.
void end_head(State& state, const nghttp2_frame& frame) {
  state.head_begun_ms.reset();
  bool request = frame.headers.cat == NGHTTP2_HCAT_REQUEST;
  auto [head, fault] = std::exchange(state.head, {}).finish(ends_stream(frame.hd));
  if (request) state.events.on_request(frame.hd.stream_id, std::move(head), std::move(fault));
}

int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  return guarded(user, [&](State& state) {
    if (frame->hd.type == NGHTTP2_HEADERS) end_head(state, *frame);
    bool carries_body = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (carries_body && ends_stream(frame->hd)) state.events.on_body_end(frame->hd.stream_id);
  });
}

int on_invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user) {
  return guarded(user, [](State& state) {
    state.head_begun_ms.reset();
    state.spend(limits::h2_reset_cost);
  });
}

int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes, std::size_t size,
            void* user) {
  return guarded(user, [&](State& state) {
    state.patience.moved(static_cast<std::int64_t>(size));
    state.events.on_body(stream, view(bytes, size));
  });
}

// An answer is complete: a client that still sends its body may stop (RFC 9113 8.1).
int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  return guarded(user, [&](State& state) {
    bool answers = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!answers || !ends_stream(frame->hd)) return;
    state.patience.earn(limits::h2_reset_cost);
    if (nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
  });
}

int on_stream_close(nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
  return guarded(user, [&](State& state) {
    state.head_begun_ms.reset();
    state.events.on_close(stream);
  });
}

ssize_t read_body(nghttp2_session*, std::int32_t stream, std::uint8_t* buffer, std::size_t size,
                  std::uint32_t* flags, nghttp2_data_source*, void* user) {
  std::optional<H2Session::Piece> piece;
  int failed = guarded(user, [&](State& state) {
    piece = state.events.read_reply(stream, reinterpret_cast<char*>(buffer), size);
    if (piece) state.patience.moved(static_cast<std::int64_t>(piece->bytes));
  });
  if (failed != 0) return failed;
  if (!piece) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (piece->last) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(piece->bytes);
}

struct Callbacks {
  Callbacks() {
    if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  }
  ~Callbacks() { nghttp2_session_callbacks_del(callbacks); }
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;
  nghttp2_session_callbacks* callbacks = nullptr;
};

struct Option {
  Option() {
    if (nghttp2_option_new(&option) != 0) throw std::bad_alloc();
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, acknowledgements_max);
  }
  ~Option() { nghttp2_option_del(option); }
  Option(const Option&) = delete;
  Option& operator=(const Option&) = delete;
  nghttp2_option* option = nullptr;

 private:
  // Of pings and settings, not yet sent: patience ends before, and says why.
  static constexpr std::size_t acknowledgements_max = limits::h2_patience + 100;
};

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

H2Session::H2Session(Events& events) : x_state(std::make_unique<State>(events)) {
  Callbacks callbacks;
  Option option;
  nghttp2_session*& session = x_state->session;
  if (nghttp2_session_server_new2(&session, callbacks.callbacks, x_state.get(), option.option) != 0) {
    throw std::bad_alloc();
  }
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits::h2_streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits::h2_stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits::h2_headers_max},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, limits::h2_connection_window);
}

H2Session::~H2Session() = default;

bool H2Session::receive(std::string_view bytes, std::int64_t now_ms) {
  x_state->now_ms = now_ms;
  auto data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  ssize_t taken = nghttp2_session_mem_recv(x_state->session, data, bytes.size());
  if (taken < 0) nghttp2_session_terminate_session(x_state->session, NGHTTP2_PROTOCOL_ERROR);
  return taken == static_cast<ssize_t>(bytes.size()) && x_state->calm;
}

std::string_view H2Session::output() {
  const std::uint8_t* bytes = nullptr;
  ssize_t size = nghttp2_session_mem_send(x_state->session, &bytes);
  if (size < 0) x_state->calm = false;  // no memory: receive() ends the session
  return size > 0 ? view(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

bool H2Session::over() const {
  return nghttp2_session_want_read(x_state->session) == 0 &&
         nghttp2_session_want_write(x_state->session) == 0;
}

void H2Session::respond(StreamId stream, const Fields& fields, bool with_body) {
  std::vector<nghttp2_nv> list;
  list.reserve(fields.size());
  for (const auto& [name, value] : fields) list.push_back(field(name, value));
  nghttp2_data_provider provider{{.ptr = nullptr}, read_body};
  if (nghttp2_submit_response(x_state->session, stream, list.data(), list.size(),
                              with_body ? &provider : nullptr) != 0) {
    reset(stream);
  }
}

void H2Session::go_on(StreamId stream) {
  nghttp2_nv status = field(":status", "100");
  nghttp2_submit_headers(x_state->session, NGHTTP2_FLAG_NONE, stream, nullptr, &status, 1, nullptr);
}

void H2Session::consume(StreamId stream, std::size_t bytes) {
  nghttp2_session_consume(x_state->session, stream, bytes);
}

void H2Session::widen(StreamId stream, std::size_t window) {
  nghttp2_session_set_local_window_size(x_state->session, NGHTTP2_FLAG_NONE, stream,
                                        static_cast<std::int32_t>(window));
}

void H2Session::reset(StreamId stream) {
  nghttp2_submit_rst_stream(x_state->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

void H2Session::refuse(StreamId stream) {
  nghttp2_submit_rst_stream(x_state->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_REFUSED_STREAM);
}

void H2Session::go_away() {
  nghttp2_submit_goaway(x_state->session, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(x_state->session), NGHTTP2_NO_ERROR, nullptr,
                        0);
}

std::optional<std::int64_t> H2Session::head_begun_ms() const {
  return x_state->head_begun_ms;
}

}  // namespace wharfage::http
