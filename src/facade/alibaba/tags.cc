// Tags of a repository. Digests go out without their algorithm; sizes in bytes; times in milliseconds, as
// text in the list and as numbers for one tag. Signatures' tags are not listed.
#include <fmt/format.h>

#include "facade/alibaba/action.h"
#include "registry/ops/tags.h"

namespace wharfage::alibaba {
namespace {

using wire::field;
using wire::required;

// ---- queries

struct ListQuery {
  std::string instance_id;
  std::string repo_id;
  std::optional<std::int64_t> max_results;
  std::string next_token;
  std::optional<std::int64_t> page_no;
  std::optional<std::int64_t> page_size;
  static constexpr auto fields() {
    return std::array{field<&ListQuery::instance_id>("InstanceId", required),
                      field<&ListQuery::repo_id>("RepoId", required),
                      field<&ListQuery::max_results>("MaxResults"),
                      field<&ListQuery::next_token>("NextToken"),
                      field<&ListQuery::page_no>("PageNo"),
                      field<&ListQuery::page_size>("PageSize")};
  }
};
struct TagQuery {
  std::string instance_id;
  std::string repo_id;
  std::string tag;
  static constexpr auto fields() {
    return std::array{field<&TagQuery::instance_id>("InstanceId", required),
                      field<&TagQuery::repo_id>("RepoId", required), field<&TagQuery::tag>("Tag", required)};
  }
};
struct CreateQuery {
  std::string from_tag;
  std::string instance_id;
  std::string namespace_name;
  std::string repo_name;
  std::string to_tag;
  static constexpr auto fields() {
    return std::array{field<&CreateQuery::from_tag>("FromTag", required),
                      field<&CreateQuery::instance_id>("InstanceId", required),
                      field<&CreateQuery::namespace_name>("NamespaceName", required),
                      field<&CreateQuery::repo_name>("RepoName", required),
                      field<&CreateQuery::to_tag>("ToTag", required)};
  }
};

// ---- replies

struct TagRow {
  std::string digest;
  std::string image_create;
  std::string image_id;
  std::int64_t image_size = 0;
  std::string image_update;
  std::string status;
  std::string tag;
  static constexpr auto fields() {
    return std::array{field<&TagRow::digest>("Digest"),
                      field<&TagRow::image_create>("ImageCreate"),
                      field<&TagRow::image_id>("ImageId"),
                      field<&TagRow::image_size>("ImageSize"),
                      field<&TagRow::image_update>("ImageUpdate"),
                      field<&TagRow::status>("Status"),
                      field<&TagRow::tag>("Tag")};
  }
};
struct ListReply {
  std::vector<TagRow> images;
  std::optional<std::int64_t> max_results;
  std::optional<std::string> next_token;
  std::int64_t page_no = 0;
  std::int64_t page_size = 0;
  std::string total_count;
  static constexpr auto fields() {
    return std::array{
        field<&ListReply::images>("Images"),        field<&ListReply::max_results>("MaxResults"),
        field<&ListReply::next_token>("NextToken"), field<&ListReply::page_no>("PageNo"),
        field<&ListReply::page_size>("PageSize"),   field<&ListReply::total_count>("TotalCount")};
  }
};
struct GetReply {
  std::string digest;
  std::int64_t image_create = 0;
  std::string image_id;
  std::int64_t image_size = 0;
  std::int64_t image_update = 0;
  std::string status;
  std::string tag;
  static constexpr auto fields() {
    return std::array{field<&GetReply::digest>("Digest"),
                      field<&GetReply::image_create>("ImageCreate"),
                      field<&GetReply::image_id>("ImageId"),
                      field<&GetReply::image_size>("ImageSize"),
                      field<&GetReply::image_update>("ImageUpdate"),
                      field<&GetReply::status>("Status"),
                      field<&GetReply::tag>("Tag")};
  }
};

// ---- between wire and domain

// cr calls the config's digest the image's id.
std::string image_id(const registry::Manifest& manifest) {
  return bare(manifest.config ? *manifest.config : *manifest.digest);
}

// ---- actions

Result<ListReply> list_tags(Call& call, const ListQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(PageOf page, page_of(query.page_no, query.page_size));
  TRY(Window window, window_of(page, query.max_results, query.next_token));
  registry::ops::ListTags::Request request{.repository = {.public_id = query.repo_id},
                                           .slice = {window.offset, window.page.size}};
  TRY(auto found, op::invoke<registry::ops::ListTags>(call.rooms.registry, call.context, request));
  ListReply reply{{},
                  window.max_results(),
                  window.next_token(found.total),
                  window.page.number,
                  window.page.size,
                  fmt::to_string(found.total)};
  for (const auto& tag : found.items) {
    reply.images.push_back({.digest = bare(*tag.manifest.digest),
                            .image_create = fmt::to_string(tag.manifest.pushed_at),
                            .image_id = image_id(tag.manifest),
                            .image_size = tag.manifest.total_size,
                            .image_update = fmt::to_string(tag.updated_at),
                            .status = "NORMAL",
                            .tag = tag.name});
  }
  return reply;
}

Result<GetReply> get_tag(Call& call, const TagQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY(auto tag,
      op::invoke<registry::ops::GetTag>(call.rooms.registry, call.context,
                                        {.repository = {.public_id = query.repo_id}, .tag = query.tag}));
  return GetReply{.digest = bare(*tag.manifest.digest),
                  .image_create = tag.manifest.pushed_at,
                  .image_id = image_id(tag.manifest),
                  .image_size = tag.manifest.total_size,
                  .image_update = tag.updated_at,
                  .status = "NORMAL",
                  .tag = tag.name};
}

Result<Empty> create_tag(Call& call, const CreateQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  registry::ops::CreateTag::Request request{
      .repository = {.namespace_name = query.namespace_name, .name = query.repo_name},
      .reference = query.from_tag,
      .tag = query.to_tag};
  TRY_STATUS(op::invoke<registry::ops::CreateTag>(call.rooms.registry, call.context, request));
  return Empty{};
}

Result<Empty> delete_tag(Call& call, const TagQuery& query) {
  TRY_STATUS(check_instance(call, query.instance_id));
  TRY_STATUS(op::invoke<registry::ops::DeleteTag>(
      call.rooms.registry, call.context, {.repository = {.public_id = query.repo_id}, .tag = query.tag}));
  return Empty{};
}

}  // namespace

std::span<const Action> tag_actions() {
  static constexpr std::array table{
      action<&list_tags>("ListRepoTag"),
      action<&get_tag>("GetRepoTag"),
      action<&create_tag>("CreateRepoTag"),
      action<&delete_tag>("DeleteRepoTag"),
  };
  return table;
}

}  // namespace wharfage::alibaba
