#include "auth/lru.h"

#include <doctest/doctest.h>

using wharfage::auth::Lru;

TEST_CASE("the least recently used entry gives way") {
  Lru<int> lru(2);
  lru.put("a", 1, lru.version());
  lru.put("b", 2, lru.version());
  CHECK(lru.find("a") == 1);
  lru.put("c", 3, lru.version());
  CHECK(lru.size() == 2);
  CHECK_FALSE(lru.find("b"));
  CHECK(lru.find("a") == 1);
  lru.put("a", 4, lru.version());
  CHECK(lru.find("a") == 4);
  CHECK(lru.size() == 2);
  CHECK(lru.update("d", [](int& value) { return value += 5; }) == 5);
  CHECK(lru.update("d", [](int& value) { return value += 5; }) == 10);
  CHECK(lru.size() == 2);
}

TEST_CASE("what was read before a change is not remembered after it") {
  Lru<int> lru(8);
  lru.put("other", 1, lru.version());
  auto before = lru.version();
  SUBCASE("erase") {
    lru.erase("a");
  }
  SUBCASE("erase_if") {
    lru.erase_if([](const std::string& key, int) { return key == "a"; });
  }
  lru.put("a", 1, before);
  CHECK_FALSE(lru.find("a"));
  CHECK(lru.find("other") == 1);
  lru.put("a", 2, lru.version());
  CHECK(lru.find("a") == 2);
}
