// What repositories are built from. A source names a kind of code host, a namespace and a repository there;
// its address and credential lie with that kind's source provider. Flags are text in replies and in updates.
#include "build/ops.h"
#include "facade/alibaba/action.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct CreateQuery {
  std::string code_repo_name;
  std::string code_repo_namespace_name;
  std::string code_repo_type;
  std::string instance_id;
  std::string repo_id;
  std::optional<bool> auto_build;
  std::optional<bool> disable_cache_build;
  std::optional<bool> oversea_build;
  static constexpr auto fields() {
    return std::array{field<&CreateQuery::code_repo_name>("CodeRepoName", required),
                      field<&CreateQuery::code_repo_namespace_name>("CodeRepoNamespaceName", required),
                      field<&CreateQuery::code_repo_type>("CodeRepoType", required),
                      field<&CreateQuery::instance_id>("InstanceId", required),
                      field<&CreateQuery::repo_id>("RepoId", required),
                      field<&CreateQuery::auto_build>("AutoBuild"),
                      field<&CreateQuery::disable_cache_build>("DisableCacheBuild"),
                      field<&CreateQuery::oversea_build>("OverseaBuild")};
  }
};
struct UpdateQuery {
  std::string code_repo_name;
  std::string code_repo_namespace_name;
  std::string code_repo_type;
  std::string instance_id;
  std::string repo_id;
  std::string auto_build;
  std::string code_repo_id;
  std::string disable_cache_build;
  std::string oversea_build;
  static constexpr auto fields() {
    return std::array{field<&UpdateQuery::code_repo_name>("CodeRepoName", required),
                      field<&UpdateQuery::code_repo_namespace_name>("CodeRepoNamespaceName", required),
                      field<&UpdateQuery::code_repo_type>("CodeRepoType", required),
                      field<&UpdateQuery::instance_id>("InstanceId", required),
                      field<&UpdateQuery::repo_id>("RepoId", required),
                      field<&UpdateQuery::auto_build>("AutoBuild"),
                      field<&UpdateQuery::code_repo_id>("CodeRepoId"),
                      field<&UpdateQuery::disable_cache_build>("DisableCacheBuild"),
                      field<&UpdateQuery::oversea_build>("OverseaBuild")};
  }
};
struct GetQuery {
  std::string instance_id;
  std::string repo_id;
  static constexpr auto fields() {
    return std::array{field<&GetQuery::instance_id>("InstanceId", required),
                      field<&GetQuery::repo_id>("RepoId", required)};
  }
};

// ---- replies

struct GetReply {
  std::string auto_build;
  std::string code_repo_domain;
  std::string code_repo_name;
  std::string code_repo_namespace_name;
  std::string code_repo_type;
  std::string disable_cache_build;
  std::string oversea_build;
  std::string repo_id;
  static constexpr auto fields() {
    return std::array{field<&GetReply::auto_build>("AutoBuild"),
                      field<&GetReply::code_repo_domain>("CodeRepoDomain"),
                      field<&GetReply::code_repo_name>("CodeRepoName"),
                      field<&GetReply::code_repo_namespace_name>("CodeRepoNamespaceName"),
                      field<&GetReply::code_repo_type>("CodeRepoType"),
                      field<&GetReply::disable_cache_build>("DisableCacheBuild"),
                      field<&GetReply::oversea_build>("OverseaBuild"),
                      field<&GetReply::repo_id>("RepoId")};
  }
};

// ---- between wire and domain

std::string flag(bool value) {
  return value ? "true" : "false";
}

// "": as `unset`.
Result<bool> read_flag(const std::string& text, std::string_view name, bool unset) {
  if (text.empty()) return unset;
  if (same_ignoring_case(text, "true")) return true;
  if (same_ignoring_case(text, "false")) return false;
  return fail(Reason::invalid_parameter, "flags are true or false", std::string(name));
}

// ---- actions

Result<Empty> create_source(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  build::SourceRequest request{.repository_id = query.repo_id,
                               .source = {.provider = {},
                                          .type = query.code_repo_type,
                                          .space = query.code_repo_namespace_name,
                                          .name = query.code_repo_name,
                                          .disable_cache = query.disable_cache_build.value_or(false)},
                               .auto_build = query.auto_build.value_or(false)};
  TRY_STATUS(op::invoke<build::CreateSource>(call.rooms.builds, call.context, request));
  return Empty{};
}

Result<Empty> update_source(Call& call, const UpdateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(bool auto_build, read_flag(query.auto_build, "AutoBuild", false));
  TRY(auto present, op::invoke<build::GetSource>(call.rooms.builds, call.context, {query.repo_id}));
  TRY(bool no_cache, read_flag(query.disable_cache_build, "DisableCacheBuild", present.disable_cache));
  bool same_type = query.code_repo_type == present.provider_type;
  build::SourceRequest request{.repository_id = query.repo_id,
                               .source = {.provider = same_type ? present.provider_name : std::string(),
                                          .type = query.code_repo_type,
                                          .space = query.code_repo_namespace_name,
                                          .name = query.code_repo_name,
                                          .disable_cache = no_cache},
                               .auto_build = auto_build};
  TRY_STATUS(op::invoke<build::UpdateSource>(call.rooms.builds, call.context, request));
  return Empty{};
}

Result<GetReply> get_source(Call& call, const GetQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto source, op::invoke<build::GetSource>(call.rooms.builds, call.context, {query.repo_id}));
  return GetReply{.auto_build = flag(false),
                  .code_repo_domain = source.domain,
                  .code_repo_name = source.name,
                  .code_repo_namespace_name = source.space,
                  .code_repo_type = source.provider_type,
                  .disable_cache_build = flag(source.disable_cache),
                  .oversea_build = flag(false),
                  .repo_id = query.repo_id};
}

}  // namespace

std::span<const Action> source_actions() {
  static constexpr std::array table{
      action<&create_source>("CreateRepoSourceCodeRepo"),
      action<&update_source>("UpdateRepoSourceCodeRepo"),
      action<&get_source>("GetRepoSourceCodeRepo"),
  };
  return table;
}

}  // namespace wharfage::alibaba
