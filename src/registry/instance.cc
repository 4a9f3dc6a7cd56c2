#include <random>

#include "base/random.h"
#include "base/text.h"
#include "registry/state.h"

namespace wharfage::registry {
namespace {

constexpr std::int64_t uid_min = 1'000'000'000'000'000;  // sixteen digits, and below 2^53
constexpr std::int64_t uid_count = 8'000'000'000'000'000;

std::int64_t random_uid() {
  std::uint64_t number = 0;
  for (unsigned char byte : random_bytes(8)) number = number << 8 | byte;
  return uid_min + static_cast<std::int64_t>(number % uid_count);
}

std::string given_or(const std::string& given, const std::string& otherwise) {
  return given.empty() ? otherwise : given;
}

Status check_identity(const Registry::Identity& identity) {
  if (!identity.cri_id.empty() && !identity.cri_id.starts_with("cri-"))
    return fail(Reason::invalid_parameter, "an instance id starts with cri-", "cri_id");
  const std::string& project = identity.project_id;
  if (!project.empty() && (project.size() != 32 || !unhex(project).ok() || lower(project) != project))
    return fail(Reason::invalid_parameter, "a project id is 32 hexadecimal digits", "project_id");
  if (identity.ali_uid < 0 || identity.ali_uid >= std::int64_t{1} << 53)
    return fail(Reason::invalid_parameter, "an account id lies below 2^53", "ali_uid");
  return {};
}

Instance make_instance(const Registry::Identity& identity, std::int64_t id, TimeMs now) {
  Instance instance;
  instance.id = id;
  instance.cri_id = given_or(identity.cri_id, random_id("cri-"));
  instance.uuid = given_or(identity.uuid, random_uuid());
  instance.name = given_or(identity.instance_name, "wharfage");
  instance.alibaba_region = given_or(identity.alibaba_region, "cn-hangzhou");
  instance.huawei_region = given_or(identity.huawei_region, "cn-north-4");
  instance.project_id = given_or(identity.project_id, random_hex(16));
  instance.project_name = instance.huawei_region;
  instance.domain_id = random_hex(16);
  instance.domain_name = given_or(identity.domain_name, "wharfage");
  instance.ali_uid = identity.ali_uid != 0 ? identity.ali_uid : random_uid();
  instance.created_at = now;
  return instance;
}

}  // namespace

Status Registry::ensure_instance(const Identity& identity) {
  State& state = *x_state;
  auto find = [](meta::Tx& tx) { return records::find_instance(tx); };
  TRY(auto found, state.db.read(find));
  if (!found) {
    TRY_STATUS(check_identity(identity));
    TRY(std::int64_t id, state.ids.next("instance"));
    TRY(std::int64_t library, state.ids.next("namespace"));
    Instance instance = make_instance(identity, id, state.clock.now());
    Namespace space{.id = library, .public_id = random_id("crn-"), .name = "library"};
    space.created_at = space.updated_at = instance.created_at;
    TRY_STATUS(state.db.write([&](meta::Tx& tx) -> Status {
      TRY(auto other, records::find_instance(tx));
      if (other) return {};  // another node was first
      TRY_STATUS(records::insert_instance(tx, instance));
      return records::insert_namespace(tx, space);
    }));
    TRY(found, state.db.read(find));
  }
  state.instance = std::move(found);
  return {};
}

}  // namespace wharfage::registry
