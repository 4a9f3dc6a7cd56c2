#include "http/head.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "http/parser.h"
#include "http/response_head.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

using Found = RequestParser::Found;

// The status of the fault, 0 when the head is fine, -1 when there is no end of it.
int read(const std::string& text, Head& head) {
  RequestParser parser;
  Found found = parser.read_head(text);
  if (found == Found::more) return -1;
  head = parser.take_head();
  return found == Found::head ? 0 : parser.take_fault().status;
}

int read(const std::string& text) {
  Head head;
  return read(text, head);
}

std::string with(const std::string& fields) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

RequestParser chunked_parser() {
  RequestParser parser;
  REQUIRE(parser.read_head(with("Transfer-Encoding: chunked\r\n")) == Found::head);
  return parser;
}

// Decodes `text` given in pieces of `piece` bytes.
std::string decode(RequestParser& parser, std::string text, std::size_t piece) {
  std::string out;
  while (!text.empty() && !parser.done() && !parser.malformed()) {
    std::string part = text.substr(0, piece);
    auto step = parser.read_body(part.data(), part.size());
    out += part.substr(0, step.produced);
    text.erase(0, step.consumed);
  }
  return out + (text.empty() ? "" : "|" + text);
}

bool refuses(const std::string& text) {
  for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
    RequestParser parser = chunked_parser();
    decode(parser, text, piece);
    if (!parser.malformed()) return false;
  }
  return true;
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
  std::string text = "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB:2\r\na: \r\n\r\nrest";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    RequestParser parser;
    std::size_t size = piece;
    while (parser.read_head(text.substr(0, size)) == Found::more) size += piece;
    CAPTURE(piece);
    CHECK(size >= text.size() - 4);
    CHECK(size < text.size() - 4 + piece);
    CHECK(parser.head_size() == text.size() - 4);
    CHECK(parser.done());
    const Headers headers = parser.take_head().request.headers;
    REQUIRE(headers.fields().size() == 4);
    CHECK(headers.fields()[3].first == "a");
    CHECK(headers.all("A") == "1, ");
  }
}

TEST_CASE("fields keep their order, spelling and bytes") {
  Head head;
  REQUIRE(read(with("X-b: 1\r\nx-A:\t two  words \r\nX-B: \xc3\xa9\r\naccept: \"q\";,\r\nX-A:\r\n"), head) ==
          0);
  const auto& fields = head.request.headers.fields();
  REQUIRE(fields.size() == 6);
  CHECK(fields[1] == std::pair<std::string, std::string>("X-b", "1"));
  CHECK(fields[2] == std::pair<std::string, std::string>("x-A", "two  words"));
  CHECK(fields[3] == std::pair<std::string, std::string>("X-B", "\xc3\xa9"));
  CHECK(fields[4] == std::pair<std::string, std::string>("accept", "\"q\";,"));
  CHECK(fields[5] == std::pair<std::string, std::string>("X-A", ""));
}

TEST_CASE("a parser starts again") {
  RequestParser parser;
  REQUIRE(parser.read_head("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n") == Found::head);
  CHECK_FALSE(parser.done());
  std::string body = "abcG";
  auto step = parser.read_body(body.data(), 2);
  CHECK(step.produced == 2);
  step = parser.read_body(body.data() + 2, 2);
  CHECK(step.consumed == 1);
  CHECK(step.produced == 1);
  CHECK(body == "abcG");
  CHECK(parser.done());
  parser.restart();
  CHECK(parser.read_head("") == Found::more);
  CHECK(parser.read_head("P") == Found::more);
  CHECK(parser.read_head("PUT / HTTP/1.0\r\n\r\n") == Found::head);
  CHECK(parser.take_head().request.headers.fields().empty());
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

TEST_CASE("the parser stops at bare line ends and at its limits") {
  CHECK(read("GET / HTTP/1.1\nHost: h\n\n") == 400);
  CHECK(read("GET / HTTP/1.1\r\nHost: h\n\r\n") == 400);
  CHECK(read("GET / HTTP/1.1\r\nHost: h\r\n\nx") == 400);
  CHECK(read("\nGET") == 400);
  CHECK(read("\x16\x03\x01\x02") == 400);
  CHECK(read("\r\n\r\n\r\n\r\n\r\n") == 400);
  CHECK(read(std::string(limits::request_line_max + 1, 'a')) == 414);
  CHECK(read("GET /" + std::string(limits::request_line_max, 'a') + " HTTP/1.1\r\n\r\n") == 414);
  std::string filler = "GET / HTTP/1.1\r\nX: " + std::string(limits::request_headers_max, 'a');
  CHECK(read(filler) == 431);
  CHECK(read(filler + "\r\n\r\n") == 431);
  std::string half(limits::request_headers_max / 2, 'a');
  CHECK(read(with("X: " + half + "\r\nY: " + half.substr(100) + "\r\n")) == 0);
  CHECK(read("GET /" + half + " HTTP/1.1\r\nHost: h\r\nX: " + half + "\r\n\r\n") == 431);
  std::string fields;
  for (std::size_t i = 0; i < limits::request_fields_max; ++i) fields += "A: b\r\n";
  CHECK(read(with(fields)) == 431);
}

TEST_CASE("chunks are joined whatever the pieces, and what follows is left alone") {
  std::string text = "5\r\nhello\r\n1;a=\"b\"\r\n \r\n00A\r\n0123456789\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\nGET /";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    RequestParser decoder = chunked_parser();
    CHECK(decode(decoder, text, piece) == "hello 0123456789|GET /");
    CHECK(decoder.done());
  }
}

TEST_CASE("malformed chunks are refused") {
  for (const char* text :
       {"\r\n", "x\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", "1 \r\na\r\n", "1\na\r\n", "1\r\nab\r\n",
        "1\r\na\n", "1\r\na\r0\r\n", ";a\r\n", "1\ra\r\n", "0\r\n\n", "0\r\nX\nY\r\n\r\n", "1;a\x01\r\n",
        "fffffffffffffffff\r\n", "100000000000000000\r\n"}) {
    CAPTURE(std::string(text));
    CHECK(refuses(text));
  }
  CHECK(refuses("1;" + std::string(limits::chunk_line_max, 'a') + "\r\n"));
  CHECK(refuses("0\r\nX: " + std::string(limits::chunk_overhead_max, 'a')));
  CHECK(refuses(std::string(limits::chunk_line_max + 1, '0')));
}

TEST_CASE("a request that arrives byte by byte is refused all the same") {
  for (const char* text :
       {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / \r\n\r\n", "GET / HTTP/1.1\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n X: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nX:\r\n y\r\n\r\n"}) {
    CAPTURE(text);
    RequestParser parser;
    std::string whole = text;
    Found found = Found::more;
    for (std::size_t size = 1; size <= whole.size() && found == Found::more; ++size) {
      found = parser.read_head(std::string_view(whole).substr(0, size));
    }
    CHECK(found == Found::refused);
  }
  CHECK(read("GET / HTTP/1.1\r\n X: y\r\nHost: h\r\n\r\n") == 400);
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
