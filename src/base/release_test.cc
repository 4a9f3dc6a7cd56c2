#include "base/release.h"

#include <doctest/doctest.h>

#include <string>
#include <variant>

using namespace wharfage;

TEST_CASE("what is released holds no memory any more") {
  struct Holder {
    int number = 7;
    std::variant<std::string, int> body;
  };
  std::string text(1 << 20, 'x');
  Holder holder{8, std::string(1 << 20, 'x')};
  release(text);
  release(holder);
  CHECK(text.capacity() < 100);
  CHECK(std::get<std::string>(holder.body).capacity() < 100);
  CHECK(holder.number == 7);
}
