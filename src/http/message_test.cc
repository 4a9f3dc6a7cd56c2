#include "http/message.h"

#include <doctest/doctest.h>

#include "http/client.h"

using namespace wharfage;
using namespace wharfage::http;

TEST_CASE("header names compare without case and repeated fields join in order") {
  Headers headers;
  headers.add("Accept", "a/b");
  headers.add("accept", "c/d");
  headers.add("X-Empty", "");
  CHECK(headers.get("ACCEPT") == "a/b");
  CHECK(headers.all("Accept") == "a/b, c/d");
  CHECK(headers.has("x-empty"));
  CHECK_FALSE(headers.has("x-other"));
  headers.set("ACCEPT", "e/f");
  CHECK(headers.all("accept") == "e/f");
  CHECK(headers.fields().size() == 2);
  CHECK(headers.fields()[0].second == "e/f");
  headers.remove("accept");
  CHECK_FALSE(headers.has("Accept"));
  headers.set("New", "1");
  CHECK(headers.get("new") == "1");
}

TEST_CASE("URLs are split into parts that print the same origin") {
  Url url = parse_url("HTTPS://Registry.Example.com/v2/?n=1#x").value();
  CHECK(url.scheme == "https");
  CHECK(url.host == "registry.example.com");
  CHECK(url.port == 443);
  CHECK(url.path_and_query == "/v2/?n=1");
  CHECK(url.origin() == "https://registry.example.com");
  CHECK(parse_url("http://h:5000").value().origin() == "http://h:5000");
  CHECK(parse_url("http://h:5000").value().path_and_query == "/");
  CHECK(parse_url("http://h?a=b").value().path_and_query == "/?a=b");
  CHECK(parse_url("https://h:443/").value().origin() == "https://h");
  Url six = parse_url("http://[::1]:81/x").value();
  CHECK(six.host == "[::1]");
  CHECK(six.port == 81);
  CHECK(parse_url("http://[2001:db8::1]/").value().port == 80);
}

TEST_CASE("URLs that could be read in two ways are refused") {
  for (const char* text : {"",
                           "example.com",
                           "ftp://h/",
                           "file:///etc/passwd",
                           "http://",
                           "http:///x",
                           "http://u:p@h/",
                           "http://h@x/",
                           "http://h:0/",
                           "http://h:65536/",
                           "http://h:/",
                           "http://h:+80/",
                           "http://h:8a/",
                           "http://a b/",
                           "http://h/a b",
                           "http://h/\r\nX: y",
                           "http://h\\@x/",
                           "http://h/a\\b",
                           "http://[::1/",
                           "http://::1/",
                           "http://[nope]/",
                           "http://h%2ex/",
                           "http://\xc3\xa9/",
                           "javascript://h/%0a",
                           "http://h\tx/"}) {
    CAPTURE(text);
    auto url = parse_url(text);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().reason == Reason::invalid_parameter);
  }
}
