// Repositories of a namespace and their tags, with what people ask of them first: how large, how often and
// when last pulled. A pull is counted for the image it fetched, so tags of one image show the same figures;
// they are added up every few seconds.
#include "registry/ops/repositories.h"
#include "facade/native/route.h"
#include "registry/ops/tags.h"

namespace wharfage::native {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

struct RepositoriesQuery {
  std::string space;
  std::optional<std::string> name;
  std::optional<bool> newest_first;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&RepositoriesQuery::space>("namespace", required),
                      field<&RepositoriesQuery::name>("name").about("a part of the name"),
                      field<&RepositoriesQuery::newest_first>("newest_first"),
                      field<&RepositoriesQuery::offset>("offset"), field<&RepositoriesQuery::limit>("limit")};
  }
};
struct Repository {
  std::string name;
  std::string id;
  bool is_public = false;
  bool immutable_tags = false;
  std::int64_t tags = 0;
  std::int64_t images = 0;
  std::int64_t pulls = 0;
  std::optional<std::string> pulled_at;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Repository::name>("name").about("below the namespace"),
                      field<&Repository::id>("id"),
                      field<&Repository::is_public>("public"),
                      field<&Repository::immutable_tags>("immutable_tags"),
                      field<&Repository::tags>("tags"),
                      field<&Repository::images>("images"),
                      field<&Repository::pulls>("pulls"),
                      field<&Repository::pulled_at>("pulled_at").about("left out: never"),
                      field<&Repository::created_at>("created_at"),
                      field<&Repository::updated_at>("updated_at")};
  }
};
struct RepositoryList {
  std::vector<Repository> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&RepositoryList::items>("items"), field<&RepositoryList::total>("total")};
  }
};
struct TagsQuery {
  std::string space;
  std::string repository;
  std::optional<std::string> name;
  std::optional<bool> with_accessories;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&TagsQuery::space>("namespace", required),
                      field<&TagsQuery::repository>("repository", required),
                      field<&TagsQuery::name>("name").about("a part of the name"),
                      field<&TagsQuery::with_accessories>("with_accessories").about("signatures' tags too"),
                      field<&TagsQuery::offset>("offset"),
                      field<&TagsQuery::limit>("limit")};
  }
};
struct Tag {
  std::string name;
  std::string digest;
  std::string media_type;
  std::int64_t size = 0;
  std::int64_t pulls = 0;
  std::optional<std::string> pulled_at;
  std::string created_at;
  std::string updated_at;
  static constexpr auto fields() {
    return std::array{field<&Tag::name>("name"),
                      field<&Tag::digest>("digest"),
                      field<&Tag::media_type>("media_type"),
                      field<&Tag::size>("size"),
                      field<&Tag::pulls>("pulls").about("of its image, by whichever tag or by digest"),
                      field<&Tag::pulled_at>("pulled_at").about("left out: never"),
                      field<&Tag::created_at>("created_at"),
                      field<&Tag::updated_at>("updated_at").about("when it was moved last")};
  }
};
struct TagList {
  std::vector<Tag> items;
  std::int64_t total = 0;
  static constexpr auto fields() {
    return std::array{field<&TagList::items>("items"), field<&TagList::total>("total")};
  }
};

Result<RepositoryList> list_repositories(Call& call, const RepositoriesQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  ops::ListRepositories::Request wanted;
  wanted.space.name = query.space;
  wanted.name_contains = query.name.value_or("");
  wanted.newest_first = query.newest_first.value_or(false);
  wanted.slice = slice;
  TRY(auto page, op::invoke<ops::ListRepositories>(call.rooms.registry, call.context, wanted));
  RepositoryList list;
  for (const auto& from : page.items) {
    list.items.push_back({from.name, from.public_id, from.is_public, from.immutable_tags, from.tag_count,
                          from.artifact_count, from.pull_count, unless_zero(from.pulled_at),
                          rfc3339(from.created_at), rfc3339(from.updated_at)});
  }
  list.total = page.total;
  return list;
}

Result<TagList> list_tags(Call& call, const TagsQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  ops::ListTags::Request wanted;
  wanted.repository.namespace_name = query.space;
  wanted.repository.name = query.repository;
  wanted.with_accessories = query.with_accessories.value_or(false);
  wanted.name_contains = query.name.value_or("");
  wanted.slice = slice;
  TRY(auto page, op::invoke<ops::ListTags>(call.rooms.registry, call.context, wanted));
  TagList list;
  for (const auto& from : page.items) {
    const auto& manifest = from.manifest;
    list.items.push_back({from.name, manifest.digest->text(), manifest.media_type, manifest.total_size,
                          manifest.pull_count, unless_zero(manifest.pulled_at), rfc3339(from.created_at),
                          rfc3339(from.updated_at)});
  }
  list.total = page.total;
  return list;
}

}  // namespace

std::span<const Route> repository_routes() {
  static constexpr std::array table{
      route<&list_repositories>("GET", "/api/v1/namespaces/{namespace}/repositories")
          .about("repositories with their figures"),
      route<&list_tags>("GET", "/api/v1/namespaces/{namespace}/repositories/{repository}/tags")
          .about("tags with their images' figures, newest first"),
  };
  return table;
}

}  // namespace wharfage::native
