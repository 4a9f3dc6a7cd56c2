// Requests on one connection, read in one piece and in small ones: whatever the pieces, a request must begin
// and end at the same byte and say the same. The first byte is the size of the small pieces.
#include <string>
#include <utility>
#include <vector>

#include "http/parser.h"
#include "input.h"

using namespace wharfage;
using Found = http::RequestParser::Found;

namespace {

struct Outcome {
  Found found = Found::more;
  std::size_t end = 0;  // of the head
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::size_t body_size = 0;  // as it came
  bool done = false;
  bool malformed = false;
};

void read_body(http::RequestParser& parser, std::string_view text, std::size_t piece, Outcome& outcome) {
  while (!text.empty() && !parser.done() && !parser.malformed()) {
    std::string part(text.substr(0, piece));
    auto step = parser.read_body(part.data(), part.size());
    fuzz::demand(step.consumed <= part.size() && step.produced <= step.consumed);
    fuzz::demand(step.consumed == part.size() || parser.done() || parser.malformed());
    outcome.body.append(part, 0, step.produced);
    outcome.body_size += step.consumed;
    text.remove_prefix(step.consumed);
  }
  outcome.done = parser.done();
  outcome.malformed = parser.malformed();
}

Outcome read(http::RequestParser& parser, std::string_view text, std::size_t piece) {
  Outcome outcome;
  for (std::size_t size = 0; outcome.found == Found::more && size < text.size();) {
    size = std::min(size + piece, text.size());
    outcome.found = parser.read_head(text.substr(0, size));
  }
  if (outcome.found == Found::refused) {
    int status = parser.take_fault().status;
    fuzz::demand(status >= 400 && status <= 505);
  }
  if (outcome.found != Found::head) return outcome;
  outcome.end = parser.head_size();
  fuzz::demand(outcome.end <= text.size());
  http::Head head = parser.take_head();
  outcome.target = head.request.target;
  outcome.fields = head.request.headers.fields();
  fuzz::demand(parser.done() == (head.framing == http::Framing::none));
  for (const auto& [name, value] : outcome.fields) {
    fuzz::demand(http::is_token(name) && http::is_field_value(value));
  }
  read_body(parser, text.substr(outcome.end), piece, outcome);
  return outcome;
}

// True when another request may follow.
bool same(const Outcome& whole, const Outcome& pieces) {
  fuzz::demand((whole.found == Found::head) == (pieces.found == Found::head));
  if (whole.found != Found::head) return false;
  fuzz::demand(whole.end == pieces.end && whole.target == pieces.target && whole.fields == pieces.fields);
  fuzz::demand(whole.done == pieces.done);
  if (!whole.done) return false;
  fuzz::demand(whole.body == pieces.body && whole.body_size == pieces.body_size);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t piece = data[0] % 32 + 1;
  std::string_view text = fuzz::text_of(data + 1, size - 1);
  http::RequestParser at_once;
  http::RequestParser piecewise;
  while (!text.empty()) {
    Outcome whole = read(at_once, text, text.size());
    if (!same(whole, read(piecewise, text, piece))) break;
    text.remove_prefix(whole.end + whole.body_size);
    at_once.restart();
    piecewise.restart();
  }
  return 0;
}
