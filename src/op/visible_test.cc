#include "op/visible.h"

#include "op/op_fixture.h"

using namespace wharfage;
using namespace wharfage::op;
using auth::Access;
using auth::Principal;
using auth::Role;

namespace {

constexpr std::int64_t ours = 7, theirs = 8;

struct World : OpFixture {
  Principal nobody;
  World() { fixture.grant(alice, ours, Role::guest); }
};

// Finds what it acts upon without asking who may see it.
template <Access access>
struct Careless {
  static constexpr Declaration declaration{"test:Careless", access};
  using Request = auth::Resource;
  using Response = Nothing;
  static Result<auth::Resource> resource(World&, Context&, const Request& request) { return request; }
  static Result<Nothing> run(World&, Context&, const Request&) { return Nothing{}; }
};

template <Access access>
std::string careless(World& world, const Principal& who, const auth::Resource& on) {
  Context context = world.context(who);
  return auth::outcome(invoke<Careless<access>>(world, context, on));
}

}  // namespace

TEST_CASE("what is not to be read is absent, in the words of what does not exist") {
  World world;
  const Error absent = fail(Reason::webhook_unknown, "no such thing", "17");
  auto told = [&](auto* find, const Principal& who, const auth::Resource& on) {
    Context context = world.context(who);
    return auth::told_of(find(context, on, absent), {});
  };
  const auth::Resource mine{ours, "ours", false}, other{theirs, "theirs", false},
      open{theirs, "theirs", true};
  const std::string gone = "webhook_unknown|no such thing|17";
  const std::string denied = "denied|access is denied|",
                    sign_in = "unauthenticated|authentication is required|";
  for (auto* find : {&visible, &visible_to_members}) {
    CHECK(told(find, world.alice, mine) == "ok");
    CHECK(told(find, world.alice, other) == gone);
    CHECK(told(find, world.root, other) == "ok");
    CHECK(told(find, world.nobody, other) == sign_in);
  }
  CHECK(told(&visible, world.alice, open) == "ok");
  CHECK(told(&visible, world.nobody, open) == "ok");
  CHECK(told(&visible_to_members, world.alice, open) == denied);
  CHECK(told(&visible_to_members, world.nobody, open) == sign_in);
  Context context = world.context(world.root);
  CHECK_FALSE(visible_to_members(context, open, absent)->publicly_readable);
}

TEST_CASE("an operation that forgets to hide denies nothing that may not be known") {
  World world;
  const auth::Resource mine{ours, "ours", false}, other{theirs, "theirs", false},
      open{theirs, "theirs", true};
  CHECK(careless<Access::read>(world, world.alice, mine) == "ok");
  CHECK(careless<Access::read>(world, world.alice, other) == "not_found");
  CHECK(careless<Access::manage>(world, world.alice, other) == "not_found");
  CHECK(careless<Access::manage>(world, world.alice, mine) == "denied");
  CHECK(careless<Access::manage>(world, world.alice, open) == "denied");
  CHECK(careless<Access::administer>(world, world.alice, {}) == "denied");
  CHECK(careless<Access::manage>(world, world.nobody, other) == "unauthenticated");
  CHECK(careless<Access::manage>(world, world.root, other) == "ok");
}
