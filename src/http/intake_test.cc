// Turns of a streamed body, without a socket.
#include "http/intake.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "http/exchange.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

// Gives what it was told to, piece by piece, and then blocks or ends.
class Script final : public Transport {
 public:
  std::deque<std::string> pieces;
  std::size_t endless = 0;  // so many bytes behind the pieces, in reads as large as is asked
  Io end = Io::want_read;

  Io handshake() override { return Io::done; }
  Moved read(char* buffer, std::size_t size) override {
    if (pieces.empty() && endless > 0) {
      size = std::min(size, endless);
      endless -= size;
      std::memset(buffer, 'x', size);
      return {Io::done, size};
    }
    if (pieces.empty()) return {end, 0};
    size = std::min(size, pieces.front().size());
    std::memcpy(buffer, pieces.front().data(), size);
    pieces.front().erase(0, size);
    if (pieces.front().empty()) pieces.pop_front();
    return {Io::done, size};
  }
  Moved write(std::string_view, bool) override { return {Io::closed, 0}; }
  Moved send_file(int, std::int64_t, std::size_t) override { return {Io::closed, 0}; }
  Io flush() override { return Io::done; }
  void end_writing() override {}
};

struct Sink final : BodySink {
  explicit Sink(std::vector<std::string>& to) : x_written(to) {}
  Status write(std::string_view chunk) override {
    x_written.emplace_back(chunk);
    if (chunk == "no") return fail(Reason::quota_exceeded);
    return {};
  }
  Response finish() override { return Response::text(201, "done"); }
  Response refuse(const Error&) override { return Response::text(429, "refused"); }

 private:
  std::vector<std::string>& x_written;
};

// One request whose head, and maybe more, is there.
struct Scene {
  Script script;
  Intake intake{script};
  Buffers buffers;
  Exchange exchange;
  std::vector<std::string> written;
  int opened = 0;

  explicit Scene(std::string_view received) {
    intake.parser.restart();
    intake.in = received;
    REQUIRE(intake.parser.read_head(intake.in) == RequestParser::Found::head);
    intake.in.erase(0, intake.parser.head_size());
    exchange.head = intake.parser.take_head();
    intake.begin_body(exchange.head);
    exchange.streamed.open = [this](Request&) {
      ++opened;
      return std::make_unique<Sink>(written);
    };
  }
  void turn() { exchange.run_turn(intake, buffers); }
  std::string text() const {
    std::string all;
    for (const auto& chunk : written) all += chunk;
    return all;
  }
};

std::string head(std::size_t length) {
  return "PUT /u HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

constexpr std::string_view chunked = "PUT /u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE("a body that came with its head is opened, written and finished in one turn") {
  Scene scene(head(4) + "bodyGET / HTTP/1.1\r\n");
  scene.turn();
  CHECK(scene.written == std::vector<std::string>{"body"});
  REQUIRE(scene.exchange.response);
  CHECK(scene.exchange.response->status == 201);
  CHECK(!scene.exchange.sink);
  CHECK(scene.intake.complete());
  CHECK(scene.intake.in == "GET / HTTP/1.1\r\n");
  CHECK(scene.intake.take_moved() == 4);
}

TEST_CASE("a turn ends although more is there, and the next one goes on with the same sink") {
  std::size_t whole = 3 * limits::stream_turn_bytes;
  Scene scene(head(whole) + "abc");
  scene.script.endless = whole - 3;
  scene.turn();
  CHECK(scene.exchange.sink);
  CHECK(scene.exchange.blocked == Io::done);
  CHECK(scene.text().size() >= limits::stream_turn_bytes);
  CHECK(scene.text().size() < limits::stream_turn_bytes + limits::stream_buffer_bytes);
  for (int i = 0; i < 10 && !scene.exchange.response; ++i) scene.turn();
  CHECK(scene.exchange.response);
  CHECK(scene.text().size() == whole);
  CHECK(scene.opened == 1);
}

TEST_CASE("small pieces are written together, and a turn ends when nothing is there") {
  Scene scene(head(10) + "a");
  scene.script.pieces = {"b", "c", "d"};
  scene.turn();
  CHECK(scene.exchange.blocked == Io::want_read);
  CHECK(scene.written == std::vector<std::string>{"a", "bcd"});
  scene.script.pieces = {"efghij"};
  scene.turn();
  CHECK(scene.text() == "abcdefghij");
  CHECK(scene.exchange.response);
}

TEST_CASE("what came before the client left is written, and nothing is finished") {
  Scene scene(head(10));
  scene.script.pieces = {"abc"};
  scene.script.end = Io::closed;
  scene.turn();
  CHECK(scene.text() == "abc");
  CHECK(scene.exchange.blocked == Io::closed);
  CHECK(!scene.exchange.response);
  CHECK(!scene.exchange.finished);
}

TEST_CASE("chunks lose their framing wherever they are cut") {
  std::string wire = "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\nGET";
  for (std::size_t early = 0; early < wire.size(); ++early) {
    for (std::size_t cut = early; cut < wire.size(); ++cut) {
      Scene scene(std::string(chunked) + wire.substr(0, early));
      scene.script.pieces = {wire.substr(early, cut - early), wire.substr(cut)};
      if (cut == early) scene.script.pieces.pop_front();
      scene.turn();
      CHECK(scene.text() == "abcdefg");
      CHECK(scene.exchange.response);
      std::string behind = scene.intake.in;
      for (const auto& piece : scene.script.pieces) behind += piece;
      CHECK(behind == "GET");
    }
  }
}

TEST_CASE("broken framing and a sink's refusal end a turn") {
  Scene broken(std::string(chunked) + "3\r\nabc\r\n");
  broken.script.pieces = {"X\r\n"};
  broken.turn();
  CHECK(broken.intake.malformed());
  CHECK(broken.text() == "abc");
  CHECK(!broken.exchange.finished);

  Scene refused(head(10) + "no");
  refused.script.endless = 8;
  refused.turn();
  REQUIRE(refused.exchange.response);
  CHECK(refused.exchange.response->status == 429);
  CHECK(!refused.exchange.sink);
  CHECK(refused.script.endless == 8);
}
