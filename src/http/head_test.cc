#include "http/head.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "http/chunked.h"
#include "http/response_head.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

// The status of the fault, 0 when the head is fine.
int read(const std::string& text, Head& head) {
  HeadScanner scanner;
  if (scanner.scan(text) != HeadScanner::Found::head) return -1;
  auto fault =
      parse_head(std::string_view(text).substr(scanner.start(), scanner.end() - scanner.start()), head);
  return fault ? fault->status : 0;
}

int read(const std::string& text) {
  Head head;
  return read(text, head);
}

std::string with(const std::string& fields) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

// Decodes `text` given in pieces of `piece` bytes.
std::string decode(ChunkDecoder& decoder, std::string text, std::size_t piece) {
  std::string out;
  while (!text.empty() && !decoder.done() && !decoder.malformed()) {
    std::string part = text.substr(0, piece);
    auto step = decoder.decode(part.data(), part.size());
    out += part.substr(0, step.produced);
    text.erase(0, step.consumed);
  }
  return out + (text.empty() ? "" : "|" + text);
}

bool refuses(const std::string& text) {
  ChunkDecoder decoder;
  decode(decoder, text, 7);
  return decoder.malformed();
}

}  // namespace

TEST_CASE("a head is understood") {
  Head head;
  REQUIRE(read("PUT /v2/a%2Fb/../c?x=1&y=?z HTTP/1.1\r\nHost: r.example:5000\r\nAccept:a\r\naccept: \tb \r\n"
               "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\n",
               head) == 0);
  CHECK(head.request.method == "PUT");
  CHECK(head.request.target == "/v2/a%2Fb/../c?x=1&y=?z");
  CHECK(head.request.path == "/v2/a%2Fb/../c");
  CHECK(head.request.query == "x=1&y=?z");
  CHECK(head.request.headers.all("Accept") == "a, b");
  CHECK(head.framing == Framing::length);
  CHECK(head.length == 12);
  CHECK(head.expects_continue);
  CHECK(head.keep_alive);
}

TEST_CASE("the absolute form of a target wins over Host") {
  Head head;
  REQUIRE(read("GET http://other:81?a HTTP/1.1\r\nHost: h\r\n\r\n", head) == 0);
  CHECK(head.request.target == "/?a");
  CHECK(head.request.path == "/");
  CHECK(head.request.headers.all("host") == "other:81");
  CHECK(read("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n") == 0);
}

TEST_CASE("keep-alive follows the version and the Connection options") {
  Head head;
  REQUIRE(read("GET / HTTP/1.0\r\n\r\n", head) == 0);
  CHECK_FALSE(head.keep_alive);
  head = {};
  REQUIRE(read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", head) == 0);
  CHECK(head.keep_alive);
  head = {};
  REQUIRE(read("GET / HTTP/1.1\r\nHost: h\r\nConnection: te\r\nConnection: Close\r\n\r\n", head) == 0);
  CHECK_FALSE(head.keep_alive);
}

TEST_CASE("a head in pieces is found at the same place, with blank lines before it") {
  std::string text = "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\nrest";
  HeadScanner scanner;
  std::size_t size = 0;
  while (scanner.scan(text.substr(0, size)) == HeadScanner::Found::more) ++size;
  CHECK(size == text.size() - 4);
  CHECK(scanner.start() == 4);
  CHECK(scanner.end() == text.size() - 4);
}

TEST_CASE("heads that two readers could understand differently are refused") {
  for (const char* fields : {"Content-Length: 3\r\nContent-Length: 4\r\n",
                             "Content-Length: 3\r\nContent-Length: 3\r\n",
                             "Content-Length: 3, 3\r\n",
                             "Content-Length: +3\r\n",
                             "Content-Length: -1\r\n",
                             "Content-Length: 0x3\r\n",
                             "Content-Length: \r\n",
                             "Content-Length: 3 4\r\n",
                             "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                             "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                             "Content-Length : 3\r\n",
                             " Content-Length: 3\r\n",
                             "X: a\r\n folded\r\n",
                             "X: a\r\n\tfolded\r\n",
                             "X\r\n",
                             ": x\r\n",
                             "X y: z\r\n",
                             "X: a\rb\r\n",
                             "Host: other\r\n",
                             "X\x01: a\r\n",
                             "X: a\x01\r\n",
                             "X: a\x7f\r\n"}) {
    CAPTURE(fields);
    CHECK(read(with(fields)) == 400);
  }
  CHECK(read(with(std::string("X: a\0b\r\n", 8))) == 400);
  for (const char* fields :
       {"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \r\n", "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: \x0b"
        "chunked\r\n"}) {
    CAPTURE(fields);
    CHECK(read(with(fields)) >= 400);
  }
  CHECK(read(with("Content-Length: 99999999999999999999\r\n")) == 413);
  CHECK(read(with("Expect: magic\r\n")) == 417);
  CHECK(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("request lines that are not exactly right are refused") {
  for (const char* line :
       {"GET / HTTP/1.1 ", "GET  / HTTP/1.1", "GET /a b HTTP/1.1", "GET\t/ HTTP/1.1", "GET /",
        "GET / http/1.1", "GET / HTTP/11", "G(T / HTTP/1.1", "GET nope HTTP/1.1", "GET * HTTP/1.1",
        "CONNECT h:443 HTTP/1.1", "GET /#f HTTP/1.1", "GET /\xc3\xa9 HTTP/1.1", "GET ftp://h/ HTTP/1.1",
        "GET http:/// HTTP/1.1", "GET http://u@h/ HTTP/1.1"}) {
    CAPTURE(line);
    CHECK(read(std::string(line) + "\r\nHost: h\r\n\r\n") == 400);
  }
  CHECK(read("PRI * HTTP/2.0\r\n\r\n") == 505);
  CHECK(read("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(read("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
}

TEST_CASE("the scanner stops at bare line ends and at its limits") {
  auto scan = [](std::string_view text) {
    HeadScanner scanner;
    return scanner.scan(text);
  };
  CHECK(scan("GET / HTTP/1.1\nHost: h\n\n") == HeadScanner::Found::malformed);
  CHECK(scan("\nGET") == HeadScanner::Found::malformed);
  CHECK(scan("\x16\x03\x01\x02") == HeadScanner::Found::malformed);
  CHECK(scan("\r\n\r\n\r\n\r\n\r\n") == HeadScanner::Found::malformed);
  CHECK(scan(std::string(limits::request_line_max + 1, 'a')) == HeadScanner::Found::line_too_long);
  CHECK(scan("GET /" + std::string(limits::request_line_max, 'a') + " HTTP/1.1\r\n\r\n") ==
        HeadScanner::Found::line_too_long);
  std::string head = "GET / HTTP/1.1\r\nX: " + std::string(limits::request_headers_max, 'a');
  CHECK(scan(head) == HeadScanner::Found::head_too_long);
  CHECK(scan(head + "\r\n\r\n") == HeadScanner::Found::head_too_long);
  std::string fields;
  for (std::size_t i = 0; i < limits::request_fields_max; ++i) fields += "A: b\r\n";
  CHECK(read(with(fields)) == 431);
}

TEST_CASE("chunks are joined whatever the pieces, and what follows is left alone") {
  std::string text = "5\r\nhello\r\n1;a=\"b\"\r\n \r\n00A\r\n0123456789\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\nGET /";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    ChunkDecoder decoder;
    CHECK(decode(decoder, text, piece) == "hello 0123456789|GET /");
    CHECK(decoder.done());
  }
}

TEST_CASE("malformed chunks are refused") {
  for (const char* text :
       {"\r\n", "x\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", "1 \r\na\r\n", "1\na\r\n", "1\r\nab\r\n",
        "1\r\na\n", "1\r\na\r0\r\n", ";a\r\n", "1\ra\r\n", "0\r\n\n", "0\r\nX\nY\r\n\r\n", "1;a\x01\r\n",
        "fffffffffffffffff\r\n", "100000000000000000\r\n"}) {
    CAPTURE(text);
    CHECK(refuses(text));
  }
  CHECK(refuses("1;" + std::string(limits::chunk_line_max, 'a') + "\r\n"));
  CHECK(refuses("0\r\nX: " + std::string(limits::chunk_overhead_max, 'a')));
  CHECK(refuses(std::string(limits::chunk_line_max + 1, '0')));
}

TEST_CASE("a response head cannot be split and tells the truth about its body") {
  Response response = Response::text(200, "body");
  response.headers.add("Location", "/x\r\nSet-Cookie: a=b");
  response.headers.add("Bad Name", "x");
  response.headers.add("X\r\nY", "x");
  response.headers.add("content-length", "999");
  response.headers.add("Transfer-Encoding", "chunked");
  std::string head = response_head(response, {.date = "D", .request_id = "i"});
  CHECK(head ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nLocation: /x  Set-Cookie: a=b\r\n"
        "Content-Length: 4\r\nDate: D\r\nX-Request-Id: i\r\n\r\n");

  response = {};
  response.status = 304;
  CHECK(response_head(response, {.close = true}).find("Content-Length") == std::string::npos);
  response.announced_length = 77;
  CHECK(response_head(response, {}).find("Content-Length: 77\r\n") != std::string::npos);
  response.status = 200;
  CHECK(response_head(response, {.head_method = true}).find("Content-Length: 77\r\n") != std::string::npos);
  CHECK(response_head(response, {}).find("Content-Length: 0\r\n") != std::string::npos);
  response.status = 204;
  CHECK(response_head(response, {}).find("Content-Length") == std::string::npos);
  CHECK_FALSE(sends_body(response, false));
}
