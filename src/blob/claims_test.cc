#include "blob/claims.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace wharfage::blob {
namespace {

struct Fixture {
  Claims claims;
  const Digest digest = Digest::of("hello"), other = Digest::of("other");
  bool removes(Claims::Mark mark) {
    return claims.unless_claimed_since(mark, digest, [] { return Status(); }).value();
  }
};

TEST_CASE_FIXTURE(Fixture, "a claim lasts until its last holder lets go") {
  CHECK_FALSE(claims.holds(digest));
  {
    Claims::Claim one(claims, digest);
    {
      Claims::Claim two(claims, digest);
      CHECK(claims.holds(digest));
    }
    CHECK(claims.holds(digest));
    CHECK_FALSE(claims.holds(other));
    CHECK_FALSE(claims.mark(digest));
  }
  CHECK_FALSE(claims.holds(digest));
  CHECK(claims.mark(digest));
}

TEST_CASE_FIXTURE(Fixture, "a mark is good until somebody claims the blob, even when that one has let go") {
  auto mark = claims.mark(digest);
  REQUIRE(mark);
  CHECK(removes(*mark));
  {
    Claims::Claim another(claims, other);
  }
  CHECK(removes(*mark));
  {
    Claims::Claim claim(claims, digest);
    CHECK_FALSE(removes(*mark));
  }
  CHECK_FALSE(removes(*mark));
  CHECK_FALSE(claims.is_good(*mark, digest));
  mark = claims.mark(digest);
  CHECK(claims.is_good(*mark, digest));
  CHECK(removes(*mark));
}

TEST_CASE_FIXTURE(Fixture, "what fails says so") {
  auto done = claims.unless_claimed_since(*claims.mark(digest), digest,
                                          []() -> Status { return fail(Reason::storage_failed); });
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().reason == Reason::storage_failed);
}

// `there` stands for a file: whoever claims it has it until he lets go.
TEST_CASE_FIXTURE(Fixture, "who claims finds the bytes he brought, whatever is removed beside it") {
  std::atomic<bool> there{false}, end{false};
  std::atomic<int> lost{0}, removed{0};
  std::thread remover([&] {
    while (!end) {
      auto mark = claims.mark(digest);
      if (!mark) continue;
      auto done = claims.unless_claimed_since(*mark, digest, [&]() -> Status {
        there = false;
        return {};
      });
      if (*done) ++removed;
    }
  });
  for (int i = 0; i < 20'000 || (removed == 0 && i < 10'000'000); ++i) {
    Claims::Claim claim(claims, digest);
    there = true;
    for (int spin = 0; spin < 50; ++spin) {
      if (!there) ++lost;
    }
  }
  end = true;
  remover.join();
  CHECK(lost == 0);
  CHECK(removed > 0);
}

}  // namespace
}  // namespace wharfage::blob
