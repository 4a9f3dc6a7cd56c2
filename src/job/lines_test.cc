#include "job/lines.h"

#include <doctest/doctest.h>

#include "job/backoff.h"

using namespace wharfage;
using namespace wharfage::job;

TEST_CASE("log text becomes clean lines") {
  LogBuffer buffer(10);
  CHECK(buffer.add("get\tit", "one\ntwo\r\n", 0));
  CHECK(buffer.add("get", "10%\r20%\r", 0));
  CHECK(buffer.add("", "", 0));
  CHECK(buffer.add("x", std::string("a\0b\x1b[31m\xff", 9), 0));
  auto lines = buffer.take();
  REQUIRE(lines.size() == 5);
  CHECK(lines[0].number == 11);
  CHECK(lines[0].stage == "get it");
  CHECK(lines[0].text == "one");
  CHECK(lines[1].text == "two");
  CHECK(lines[2].text == "20%");
  CHECK(lines[3].text.empty());
  CHECK(lines[4].number == 15);
  CHECK(lines[4].text == "ab\x1b[31m\xef\xbf\xbd");
  CHECK(buffer.empty());
}

TEST_CASE("ill-formed UTF-8 is replaced byte by byte") {
  CHECK(printable("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3") == "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3");
  const std::string bad = "\xef\xbf\xbd";
  CHECK(printable("\xc0\x80") == bad + bad);            // overlong
  CHECK(printable("\xed\xa0\x80") == bad + bad + bad);  // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == bad + bad + bad + bad);
  CHECK(printable("a\xe2\x82") == "a" + bad + bad);
}

TEST_CASE("lines are packed and found again by number") {
  std::vector<LogLine> lines;
  for (std::int64_t i = 1; i <= 40; ++i)
    lines.push_back({i, "s", std::string(5000, 'x') + std::to_string(i)});
  auto chunks = pack(lines);
  CHECK(chunks.size() > 1);
  CHECK(chunks.front().first == 1);
  CHECK(chunks.back().last == 40);
  for (std::size_t i = 1; i < chunks.size(); ++i) CHECK(chunks[i].first == chunks[i - 1].last + 1);
  std::vector<LogLine> found;
  for (const auto& chunk : chunks) unpack(chunk, 17, 15, found);
  REQUIRE(found.size() == 15);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].number == static_cast<std::int64_t>(18 + i));
    CHECK(found[i].text == lines[17 + i].text);
    CHECK(found[i].stage == "s");
  }
}

TEST_CASE("long lines and long logs are cut, and say so") {
  constexpr auto lines_max = static_cast<std::int64_t>(limits::job_log_lines_max);
  LogBuffer buffer(lines_max - 2);
  CHECK(buffer.add("", std::string(limits::job_log_line_max + 1, 'x'), 0));
  for (int i = 0; i < 5; ++i) CHECK(buffer.add("", "more", 0));
  auto lines = buffer.take();
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].text.size() == limits::job_log_line_max + std::string(" (line cut)").size());
  CHECK(lines[1].text == "more");
  CHECK(lines[2].number == lines_max + 1);
  CHECK(lines[2].text == "(log cut after 200000 lines)");
  LogBuffer later(lines_max + 1);
  CHECK(later.add("", "more", 0));
  CHECK(later.empty());
}

TEST_CASE("lines that find no room are lost, counted, and leave no gap") {
  LogBuffer buffer(0);
  int kept = 0;
  while (buffer.add("", std::string(10'000, 'x'), 0)) ++kept;
  CHECK_FALSE(buffer.add("", "lost too", 0));
  CHECK(buffer.filling());
  auto lines = buffer.take();
  CHECK(static_cast<int>(lines.size()) == kept);
  CHECK(buffer.add("", "again", 0));
  buffer.put_back(std::move(lines));
  lines = buffer.take();
  REQUIRE(static_cast<int>(lines.size()) == kept + 2);
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(lines[i].number == static_cast<std::int64_t>(i + 1));
  CHECK(lines[lines.size() - 2].text == "(2 lines were lost here: they came too fast)");
  buffer.close();
  CHECK(buffer.add("", "dropped", 0));
  CHECK(buffer.empty());
}

TEST_CASE("retries wait longer each time, within bounds, and apart from each other") {
  bool spread = false;
  for (std::string id : {"5f0e", "91cc", "a731", "c20d"}) {
    std::int64_t last = 0;
    for (int attempt = 1; attempt <= 40; ++attempt) {
      std::int64_t whole = attempt > 9 ? 300'000 : std::min<std::int64_t>(1000 << (attempt - 1), 300'000);
      auto delay = backoff_ms(id, attempt, 1000, 300'000);
      CHECK(delay <= whole);
      CHECK(delay > whole * 3 / 4 - 2);
      if (whole < 300'000) CHECK(delay > last);
      last = delay;
    }
    spread = spread || backoff_ms(id, 1, 100'000, 300'000) != backoff_ms("5f0e", 1, 100'000, 300'000);
  }
  CHECK(spread);
}
