// What was deleted and can come back: images, tags, whole repositories.
#include "facade/native/place_queries.h"
#include "facade/native/route.h"
#include "registry/ops/policies.h"

namespace wharfage::native {
namespace {

namespace ops = registry::ops;
using wire::field;
using wire::required;

struct PageQuery {
  std::string space;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&PageQuery::space>("namespace", required), field<&PageQuery::offset>("offset"),
                      field<&PageQuery::limit>("limit")};
  }
};
struct DeletedQuery {
  std::string space;
  std::string repository;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  static constexpr auto fields() {
    return std::array{field<&DeletedQuery::space>("namespace", required),
                      field<&DeletedQuery::repository>("repository", required),
                      field<&DeletedQuery::offset>("offset"), field<&DeletedQuery::limit>("limit")};
  }
};
struct DeletedImage {
  std::string digest;
  std::string media_type;
  std::int64_t size = 0;
  std::string deleted_by;
  std::string origin;
  std::string deleted_at;
  std::string purge_at;
  static constexpr auto fields() {
    return std::array{field<&DeletedImage::digest>("digest"),
                      field<&DeletedImage::media_type>("media_type"),
                      field<&DeletedImage::size>("size"),
                      field<&DeletedImage::deleted_by>("deleted_by"),
                      field<&DeletedImage::origin>("origin"),
                      field<&DeletedImage::deleted_at>("deleted_at"),
                      field<&DeletedImage::purge_at>("purge_at").about("when it goes for good")};
  }
};
struct DeletedTag {
  std::string tag;
  std::string digest;
  std::string deleted_by;
  std::string origin;
  std::string deleted_at;
  std::string purge_at;
  static constexpr auto fields() {
    return std::array{field<&DeletedTag::tag>("tag"),
                      field<&DeletedTag::digest>("digest"),
                      field<&DeletedTag::deleted_by>("deleted_by"),
                      field<&DeletedTag::origin>("origin"),
                      field<&DeletedTag::deleted_at>("deleted_at"),
                      field<&DeletedTag::purge_at>("purge_at")};
  }
};
struct DeletedList {
  std::vector<DeletedImage> images;
  std::vector<DeletedTag> tags;
  static constexpr auto fields() {
    return std::array{field<&DeletedList::images>("images"), field<&DeletedList::tags>("tags")};
  }
};
struct RestoreBody {
  std::string reference;
  static constexpr auto fields() {
    return std::array{field<&RestoreBody::reference>("reference", required)
                          .about("a deleted image's digest, or a deleted tag")};
  }
};
struct Restored {
  std::string digest;
  static constexpr auto fields() { return std::array{field<&Restored::digest>("digest")}; }
};
struct PurgeQuery {
  std::string space;
  std::string repository;
  std::string digest;
  static constexpr auto fields() {
    return std::array{field<&PurgeQuery::space>("namespace", required),
                      field<&PurgeQuery::repository>("repository", required),
                      field<&PurgeQuery::digest>("digest", required)};
  }
};
struct DeletedRepository {
  std::int64_t id = 0;
  std::string name;
  std::string deleted_by;
  std::string deleted_at;
  std::string purge_at;
  static constexpr auto fields() {
    return std::array{field<&DeletedRepository::id>("id"), field<&DeletedRepository::name>("name"),
                      field<&DeletedRepository::deleted_by>("deleted_by"),
                      field<&DeletedRepository::deleted_at>("deleted_at"),
                      field<&DeletedRepository::purge_at>("purge_at")};
  }
};
struct DeletedRepositoryList {
  std::vector<DeletedRepository> items;
  static constexpr auto fields() { return std::array{field<&DeletedRepositoryList::items>("items")}; }
};
struct RestoredRepository {
  std::string name;
  static constexpr auto fields() { return std::array{field<&RestoredRepository::name>("name")}; }
};

Result<DeletedList> list_deleted(Call& call, const DeletedQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto deleted, op::invoke<ops::ListDeleted>(call.rooms.policies, call.context,
                                                 {repository_of(query.space, query.repository), slice}));
  DeletedList list;
  for (const auto& from : deleted.images) {
    list.images.push_back({from.manifest.digest->text(), from.manifest.media_type, from.manifest.total_size,
                           from.actor, from.origin, rfc3339(from.deleted_at), rfc3339(from.purge_at)});
  }
  for (const auto& from : deleted.tags) {
    list.tags.push_back(
        {from.name, from.digest, from.actor, from.origin, rfc3339(from.deleted_at), rfc3339(from.purge_at)});
  }
  return list;
}

Result<Restored> restore_deleted(Call& call, const RepositoryQuery& query, const RestoreBody& body) {
  TRY(auto manifest,
      op::invoke<ops::RestoreDeleted>(call.rooms.policies, call.context,
                                      {repository_of(query.space, query.repository), body.reference}));
  return Restored{manifest.digest->text()};
}

Result<Empty> purge_deleted(Call& call, const PurgeQuery& query, const NoBody&) {
  TRY_STATUS(op::invoke<ops::PurgeDeleted>(call.rooms.policies, call.context,
                                           {repository_of(query.space, query.repository), query.digest}));
  return Empty{};
}

Result<Empty> purge_namespace(Call& call, const SpaceQuery& query, const NoBody&) {
  TRY_STATUS(op::invoke<ops::PurgeNamespace>(call.rooms.policies, call.context, space_of(query.space)));
  return Empty{};
}

Result<DeletedRepositoryList> list_deleted_repositories(Call& call, const PageQuery& query, const NoBody&) {
  TRY(auto slice, page_of(query.offset, query.limit));
  TRY(auto deleted, op::invoke<ops::ListDeletedRepositories>(call.rooms.policies, call.context,
                                                             {space_of(query.space), slice}));
  DeletedRepositoryList list;
  for (const auto& from : deleted) {
    list.items.push_back({from.id, from.name, from.actor, rfc3339(from.deleted_at), rfc3339(from.purge_at)});
  }
  return list;
}

Result<RestoredRepository> restore_repository(Call& call, const NumberQuery& query, const NoBody&) {
  TRY(auto repository, op::invoke<ops::RestoreRepository>(call.rooms.policies, call.context,
                                                          {space_of(query.space), query.id}));
  return RestoredRepository{repository.full_name()};
}

Result<Empty> purge_repository(Call& call, const NumberQuery& query, const NoBody&) {
  TRY_STATUS(
      op::invoke<ops::PurgeRepository>(call.rooms.policies, call.context, {space_of(query.space), query.id}));
  return Empty{};
}

}  // namespace

std::span<const Route> deleted_routes() {
  static constexpr std::array table{
      route<&list_deleted>("GET", "/api/v1/namespaces/{namespace}/repositories/{repository}/deleted")
          .about("deleted images and tags that can come back"),
      route<&restore_deleted>("POST",
                              "/api/v1/namespaces/{namespace}/repositories/{repository}/deleted/restore")
          .about("bring back a deleted image with its tags, or a deleted tag"),
      route<&purge_deleted>("DELETE",
                            "/api/v1/namespaces/{namespace}/repositories/{repository}/deleted/{digest}")
          .about("remove a deleted image for good"),
      route<&purge_namespace>("DELETE", "/api/v1/namespaces/{namespace}/deleted")
          .about("remove for good whatever was deleted in the namespace"),
      route<&list_deleted_repositories>("GET", "/api/v1/namespaces/{namespace}/deleted-repositories")
          .about("deleted repositories that can come back"),
      route<&restore_repository>("POST", "/api/v1/namespaces/{namespace}/deleted-repositories/{id}/restore")
          .about("bring back a deleted repository with everything in it"),
      route<&purge_repository>("DELETE", "/api/v1/namespaces/{namespace}/deleted-repositories/{id}")
          .about("remove a deleted repository for good"),
  };
  return table;
}

}  // namespace wharfage::native
