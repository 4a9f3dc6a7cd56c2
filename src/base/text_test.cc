#include "base/text.h"

#include <doctest/doctest.h>

#include "base/log.h"
#include "base/random.h"
#include "base/time.h"

using namespace wharfage;

TEST_CASE("base64 reads both alphabets and writes padding") {
  CHECK(base64("f") == "Zg==");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64_url("\xff\xfe") == "__4");
  CHECK(unbase64("__4").value() == "\xff\xfe");
  CHECK(unbase64("//4=").value() == "\xff\xfe");
  CHECK_FALSE(unbase64("a").ok());
  CHECK_FALSE(unbase64("a*==").ok());
}

TEST_CASE("hex round-trips and refuses other text") {
  CHECK(hex("\x01\xab") == "01ab");
  CHECK(unhex("01AB").value() == "\x01\xab");
  CHECK_FALSE(unhex("0").ok());
  CHECK_FALSE(unhex("zz").ok());
}

TEST_CASE("queries are decoded in wire order, with plus as space") {
  Params params = parse_query("a=1&b=x+y%2Bz&&c&a=2");
  REQUIRE(params.size() == 4);
  CHECK(params[1].second == "x y+z");
  CHECK(params[2].first == "c");
  CHECK(find_param(params, "a").value() == "1");
  CHECK_FALSE(find_param(params, "d"));
}

TEST_CASE("percent encoding follows RFC 3986") {
  CHECK(percent_encode("a b+!'()*~/") == "a%20b%2B%21%27%28%29%2A~%2F");
  CHECK(percent_decode("%e5%90%8d%") == "\xe5\x90\x8d%");
}

TEST_CASE("integers are whole texts") {
  CHECK(parse_integer("-12") == -12);
  CHECK_FALSE(parse_integer("12a"));
  CHECK_FALSE(parse_integer(""));
  CHECK_FALSE(parse_integer("9223372036854775808"));
}

TEST_CASE("text is cut between characters") {
  CHECK(cut("a\xe5\x90\x8d", 3) == "a");
  CHECK(cut("abc", 3) == "abc");
}

TEST_CASE("times are written and read in every wire form") {
  TimeMs time = 1795314163123;
  CHECK(rfc3339(time) == "2026-11-22T02:22:43Z");
  CHECK(rfc3339_us(time) == "2026-11-22T02:22:43.123000Z");
  CHECK(basic_iso8601(time) == "20261122T022243Z");
  CHECK(http_date(time) == "Sun, 22 Nov 2026 02:22:43 GMT");
  CHECK(parse_rfc3339("2026-11-22T02:22:43.123Z").value() == time);
  CHECK(parse_rfc3339("2026-11-22T10:22:43.123+08:00").value() == time);
  CHECK(parse_basic_iso8601("20261122T022243Z").value() == time - 123);
  CHECK_FALSE(parse_rfc3339("2026-13-22T02:22:43Z").ok());
  CHECK_FALSE(parse_rfc3339("2026-11-22").ok());
  CHECK_FALSE(parse_basic_iso8601("20261122T0222430").ok());
}

TEST_CASE("ids have the form callers know") {
  CHECK(random_id("crr-").size() == 20);
  std::string uuid = random_uuid();
  CHECK(uuid.size() == 36);
  CHECK(uuid[14] == '4');
  CHECK(random_uuid() != uuid);
}

TEST_CASE("a JSON string never holds a raw control character or broken UTF-8") {
  CHECK(json_string("a\"b\\\n\x01\xff") == "\"a\\\"b\\\\\\n\\u0001\xef\xbf\xbd\"");
}

TEST_CASE("secrets compare by content") {
  CHECK(same_secret("abc", "abc"));
  CHECK_FALSE(same_secret("abc", "abd"));
  CHECK_FALSE(same_secret("abc", "ab"));
}
