#include "http/parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <optional>
#include <string>

#include "base/limits.h"

namespace wharfage::http {
namespace {

namespace beast = boost::beast;
using beast::http::error;
using Code = beast::error_code;

constexpr int leading_blank_lines_max = 4;
constexpr std::uint64_t chunk_bytes_max = std::uint64_t{1} << 56;
constexpr std::size_t chunk_head_piece = 256;  // how much is looked at to complete a chunk head cut in two
constexpr std::size_t last_chunk_min = 5;      // "0", two line ends
constexpr std::size_t guessed_target_max = 1024;

Fault bad_head() {
  return {400, fail(Reason::invalid_parameter, "the request head is not valid")};
}
Fault line_too_long() {
  return {414, fail(Reason::too_large, "the request line is too long")};
}
Fault head_too_long() {
  return {431, fail(Reason::too_large, "the request head is too long")};
}

// "GET / HTTP/2.0": well-formed, of a version that Beast does not know.
bool names_other_version(std::string_view line) {
  std::size_t blank = line.rfind(' ');
  if (std::count(line.begin(), line.end(), ' ') != 2) return false;
  std::string_view version = line.substr(blank + 1);
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
         is_digit(version[7]);
}

bool has_bare_newline(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('\n', from); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

bool has_folded_line(std::string_view head) {
  for (std::size_t at = head.find('\n'); at + 1 < head.size(); at = head.find('\n', at + 1)) {
    if (head[at + 1] == ' ' || head[at + 1] == '\t') return true;
  }
  return false;
}

// Beast's parser with its results written down as they come.
class Reader final : public beast::http::basic_parser<true> {
 public:
  Reader() {
    header_limit(limits::request_headers_max);
    body_limit(boost::none);  // what is too much depends on who takes the body: the connection counts
  }

  // Gives it `size` bytes at `in`; payload bytes go to `out`, which may overlap.
  std::size_t put_body(const char* in, std::size_t size, char* out, Code& code) {
    x_out = out;
    return put(boost::asio::const_buffer(in, size), code);
  }

  Head head;
  std::optional<Fault> fault;  // more precise than the error code
  std::size_t produced = 0;    // payload bytes of the whole body
  bool line_seen = false;
  bool chunk_seen = false;  // whose line end belongs to the next chunk head

 private:
  using View = beast::string_view;

  void on_request_impl(beast::http::verb, View method, View target, int version, Code& code) override {
    line_seen = true;
    head.request.method.assign(method.data(), method.size());
    head.request.target.assign(target.data(), target.size());
    head.http_1_0 = version == 10;
    std::size_t line = method.size() + target.size() + std::strlen("  HTTP/1.1");
    if (line > limits::request_line_max) stop(line_too_long(), code);
  }

  void on_field_impl(beast::http::field, View name, View value, Code& code) override {
    if (is_header_done()) return add_overhead(name.size() + value.size() + std::strlen(": \r\n"), code);
    if (head.request.headers.fields().size() >= limits::request_fields_max) {
      return stop({431, fail(Reason::too_large, "the request has too many header fields")}, code);
    }
    head.request.headers.add(std::string(name), std::string(value));
  }

  std::size_t on_body_impl(View body, Code&) override { return keep(body); }
  std::size_t on_chunk_body_impl(std::uint64_t, View body, Code&) override { return keep(body); }

  void on_chunk_header_impl(std::uint64_t size, View extensions, Code& code) override {
    chunk_seen = true;
    std::string_view text(extensions.data(), extensions.size());
    if (size >= chunk_bytes_max || text.size() > limits::chunk_line_max || !is_field_value(text)) {
      code = error::bad_chunk_extension;
    } else {
      add_overhead(text.size(), code);
    }
  }

  void on_response_impl(int, View, int, Code&) override {}
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  void on_finish_impl(Code&) override {}

  void stop(Fault why, Code& code) {
    fault = std::move(why);
    code = error::header_limit;
  }

  void add_overhead(std::size_t count, Code& code) {
    x_overhead += count;
    if (x_overhead > limits::chunk_overhead_max) code = error::header_limit;
  }

  std::size_t keep(View body) {
    if (x_out != body.data()) std::memmove(x_out, body.data(), body.size());
    x_out += body.size();
    produced += body.size();
    return body.size();
  }

  char* x_out = nullptr;
  std::size_t x_overhead = 0;  // extension and trailer bytes of the whole body
};

}  // namespace

struct RequestParser::State {
  enum class Phase { head, body, malformed };

  Reader reader;
  Phase phase = Phase::head;
  std::size_t at = 0;        // bytes of the head that Beast has taken
  std::size_t seen = 0;      // bytes of the head looked at
  std::size_t start = 0;     // where the request line starts
  std::string pending = {};  // a chunk head that has not arrived in full
  bool last_chunk = false;   // it is the last one, with its trailers

  bool skip_blank_lines(std::string_view bytes);
  Found check(std::string_view bytes);
  Found refuse(Fault fault);
  Fault fault_of(Code code, std::string_view bytes) const;
  bool is_hopeless(std::string_view bytes);
  Found refused(std::string_view bytes);
  std::size_t read_cut_head(const char* bytes, std::size_t size);
  void wait_for_more(std::size_t checked);
};

// Blank lines before a request line are allowed by RFC 9112 2.2. True when it begins with what is there.
bool RequestParser::State::skip_blank_lines(std::string_view bytes) {
  while (start < 2 * leading_blank_lines_max && bytes.substr(start, 2) == "\r\n") start += 2;
  at = start;
  std::string_view rest = bytes.substr(start);
  return !rest.empty() && rest != "\r";
}

RequestParser::Found RequestParser::State::refuse(Fault fault) {
  reader.fault = std::move(fault);
  return Found::refused;
}

// The whole head is there.
RequestParser::Found RequestParser::State::check(std::string_view bytes) {
  if (at > limits::request_headers_max) return refuse(head_too_long());
  if (has_folded_line(bytes.substr(start, at - start))) return refuse(bad_head());
  if (auto bad = check_head(reader.head)) return refuse(std::move(*bad));
  bool chunked = reader.head.framing == Framing::chunked;
  bool empty = reader.head.framing == Framing::none;
  if (reader.chunked() != chunked || reader.is_done() != empty) return refuse(bad_head());
  phase = Phase::body;
  return Found::head;
}

Fault RequestParser::State::fault_of(Code code, std::string_view bytes) const {
  std::string_view line = bytes.substr(at, bytes.find("\r\n", at) - at);
  const Headers& headers = reader.head.request.headers;
  if (code == error::header_limit) {
    bool long_line = !reader.line_seen && line.size() > limits::request_line_max;
    return long_line ? line_too_long() : head_too_long();
  }
  if (code == error::bad_version && names_other_version(line)) {
    return {505, fail(Reason::unsupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")};
  }
  if (code == error::bad_transfer_encoding && !headers.has("Content-Length")) {
    return {501, fail(Reason::unsupported, "chunked is the only transfer coding understood here")};
  }
  std::string_view value = line.substr(std::min(line.size(), line.find_last_of(": \t") + 1));
  if (code == error::bad_content_length && is_huge_length(value)) {
    return {413, fail(Reason::too_large, "the request body is too large")};
  }
  return bad_head();
}

// For the words of a refusal: what a line that was not read to its end begins to ask for.
RequestParser::Found RequestParser::State::refused(std::string_view bytes) {
  std::string& target = reader.head.request.target;
  std::string_view line = bytes.substr(start, bytes.find("\r\n", start) - start);
  auto blank = line.find(' ');
  if (target.empty() && blank != line.npos) {
    line.remove_prefix(blank + 1);
    target = line.substr(0, std::min(line.find(' '), guessed_target_max));
  }
  return Found::refused;
}

// Beast waits for more in the middle of a head that cannot become good any more.
bool RequestParser::State::is_hopeless(std::string_view bytes) {
  if (!reader.line_seen && bytes.size() - start > limits::request_line_max &&
      bytes.find('\r', start) - start > limits::request_line_max) {
    reader.fault = line_too_long();
  } else if (bytes.size() > limits::request_headers_max) {
    reader.fault = head_too_long();
  } else if (bytes.substr(at).ends_with("\r\n\r\n")) {
    reader.fault = bad_head();
  }
  return reader.fault.has_value();
}

RequestParser::RequestParser() : x_state(std::make_unique<State>()) {}
RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

void RequestParser::restart() {
  *x_state = {};
}

RequestParser::Found RequestParser::read_head(std::string_view bytes) {
  State& state = *x_state;
  if (state.seen == bytes.size()) return Found::more;
  state.seen = bytes.size();
  Reader& reader = state.reader;
  if (!reader.got_some() && !state.skip_blank_lines(bytes)) return Found::more;
  Code code;
  state.at += reader.put({bytes.data() + state.at, bytes.size() - state.at}, code);
  if (!code) return state.check(bytes);
  if (code == error::need_more) return state.is_hopeless(bytes) ? state.refused(bytes) : Found::more;
  if (!reader.fault) reader.fault = state.fault_of(code, bytes);
  return state.refused(bytes);
}

std::size_t RequestParser::head_size() const {
  return x_state->at;
}

Head RequestParser::take_head() {
  return std::move(x_state->reader.head);
}

Fault RequestParser::take_fault() {
  return std::move(*x_state->reader.fault);
}

bool RequestParser::done() const {
  return x_state->phase == State::Phase::body && x_state->reader.is_done();
}

bool RequestParser::malformed() const {
  return x_state->phase == State::Phase::malformed;
}

// Beast wants to see the pending bytes again, with more behind them; `checked` of them are known to be fine.
// It would wait on for what can only be wrong, so that is refused here.
void RequestParser::State::wait_for_more(std::size_t checked) {
  std::string_view line = pending;
  std::string_view end_of_chunk = reader.chunk_seen ? "\r\n" : "";
  bool good = end_of_chunk.starts_with(line.substr(0, end_of_chunk.size()));
  line.remove_prefix(std::min(line.size(), end_of_chunk.size()));
  last_chunk = line.find('\n') != std::string_view::npos;  // a whole line, and yet not enough
  std::size_t max = last_chunk ? limits::chunk_overhead_max : limits::chunk_line_max;
  std::size_t zeros = line.find_first_not_of('0');
  if (last_chunk) good = good && std::string_view("\r; \t").find(line[zeros]) != std::string_view::npos;
  if (!good || pending.size() > max || has_bare_newline(pending, checked)) phase = Phase::malformed;
}

// Goes on with the chunk head whose first bytes are pending; returns how many more were used. There is no
// payload in it, so nothing is produced.
std::size_t RequestParser::State::read_cut_head(const char* bytes, std::size_t size) {
  size = std::min(size, chunk_head_piece);
  std::size_t before = pending.size();
  bool was_last = last_chunk;
  pending.append(bytes, size);
  Code code = error::need_more;
  std::size_t used = 0;
  // Beast asserts that a last chunk that it has once seen comes with at least its two line ends.
  bool complete = !was_last || pending.size() >= last_chunk_min;
  if (complete) used = reader.put_body(pending.data(), pending.size(), nullptr, code);
  if (code == error::need_more && used == 0) {
    wait_for_more(before);
    return size;
  }
  if (code || used < before) {
    phase = Phase::malformed;
    return 0;
  }
  pending.clear();
  return used - before;
}

RequestParser::Step RequestParser::read_body(char* bytes, std::size_t size) {
  State& state = *x_state;
  Reader& reader = state.reader;
  Step step;
  std::size_t produced_before = reader.produced;
  while (step.consumed < size && state.phase == State::Phase::body && !reader.is_done()) {
    const char* rest = bytes + step.consumed;
    std::size_t left = size - step.consumed;
    if (!state.pending.empty()) {
      step.consumed += state.read_cut_head(rest, left);
      continue;
    }
    Code code;
    std::size_t used = reader.put_body(rest, left, bytes + step.produced, code);
    step.consumed += used;
    step.produced = reader.produced - produced_before;
    if (code == error::need_more) {
      state.pending.assign(rest + used, left - used);
      state.wait_for_more(0);
      step.consumed = size;
    } else if (code) {
      state.phase = State::Phase::malformed;
    }
  }
  return step;
}

}  // namespace wharfage::http
