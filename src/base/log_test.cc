#include "base/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "base/buffered_sink.h"
#include "base/memory_only.h"

using namespace wharfage;

namespace {

struct Kept final : LogSink {
  void write(std::string_view line) override { lines += line; }
  std::string lines;
};

std::string drain(int descriptor) {
  std::string text;
  char part[65536];
  for (ssize_t count; (count = ::read(descriptor, part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(count));
  return text;
}

}  // namespace

TEST_CASE("a line is one JSON object, whatever the fields hold") {
  auto sink = std::make_shared<Kept>();
  Log log = Log(sink, LogLevel::info).with("request", "r\"1");
  log.debug("not shown");
  log.info("a\nb", {{"n", std::int64_t{-5}}, {"yes", true}, {"t", std::string("\x01\\ \xff é")}});
  CHECK(
      sink->lines.ends_with("Z\",\"level\":\"info\",\"message\":\"a\\nb\",\"request\":\"r\\\"1\",\"n\":-5,"
                            "\"yes\":true,\"t\":\"\\u0001\\\\ \xef\xbf\xbd é\"}\n"));
  CHECK(sink->lines.find("not shown") == std::string::npos);
  CHECK(json_string("") == "\"\"");
}

TEST_CASE("what is not UTF-8 becomes the replacement character, byte by byte") {
  auto text = [](std::string_view bytes) { return json_string(bytes); };
  const std::string bad = "\xef\xbf\xbd";
  for (std::string_view good : {"\x7f", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(text(good) == "\"" + std::string(good) + "\"");
  }
  for (std::string_view wrong : {"\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                                 "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80"}) {
    std::string expected;
    for (std::size_t i = 0; i < wrong.size(); ++i) expected += bad;
    CHECK(text(wrong) == "\"" + expected + "\"");
  }
}

TEST_CASE("collected lines all arrive, in order, at the latest when the sink goes") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::string expected;
  {
    BufferedSink sink(ends[1]);
    for (int i = 0; i < 1000; ++i) {
      std::string line = "line " + std::to_string(i) + "\n";
      sink.write(line);
      expected += line;
    }
    CHECK(sink.dropped() == 0);
  }
  ::close(ends[1]);
  CHECK(drain(ends[0]) == expected);
  ::close(ends[0]);
}

TEST_CASE("a reader that does not read costs lines, not memory or time") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  auto sink = std::make_unique<BufferedSink>(ends[1]);
  const std::string line(1023, 'x');
  for (int i = 0; i < 8 * 1024; ++i) sink->write(line + "\n");
  CHECK(sink->dropped() > 0);
  ::close(ends[0]);  // its writes fail now, so that it can end
  sink.reset();
  ::close(ends[1]);
}

TEST_CASE("what would wait gives up while only memory may be asked") {
  CHECK_FALSE(MemoryOnly::misses());
  {
    MemoryOnly memory;
    CHECK_FALSE(memory.missed());
    CHECK(MemoryOnly::misses());
    CHECK(memory.missed());
  }
  CHECK_FALSE(MemoryOnly::misses());
}
