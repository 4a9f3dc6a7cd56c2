// HSS: the images of connected registries, as they were last seen.
#include "facade/huawei/fields.h"
#include "facade/huawei/hss.h"
#include "facade/huawei/route.h"
#include "inventory/ops/inventory.h"
#include "scan/ops.h"

namespace wharfage::huawei {
namespace {

using wire::field;
using wire::required;

struct ImageListQuery {
  std::optional<std::string> enterprise_project_id;
  std::optional<std::string> namespace_name;
  std::optional<std::string> image_name;
  std::optional<std::string> image_version;
  std::optional<std::string> registry_name;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> limit;
  std::optional<std::string> image_type;
  std::optional<bool> latest_version;
  std::optional<std::int64_t> image_size;
  std::optional<std::int64_t> start_latest_update_time;
  std::optional<std::int64_t> end_latest_update_time;
  std::optional<std::int64_t> start_latest_sync_time;
  std::optional<std::int64_t> end_latest_sync_time;
  std::optional<bool> is_multarch;
  static constexpr auto fields() {
    return std::array{field<&ImageListQuery::enterprise_project_id>("enterprise_project_id").range(1, 256),
                      field<&ImageListQuery::namespace_name>("namespace").range(1, 128),
                      field<&ImageListQuery::image_name>("image_name").range(1, 128),
                      field<&ImageListQuery::image_version>("image_version").range(1, 64),
                      field<&ImageListQuery::registry_name>("registry_name").range(1, 128),
                      field<&ImageListQuery::offset>("offset"),
                      field<&ImageListQuery::limit>("limit"),
                      field<&ImageListQuery::image_type>("image_type")
                          .one_of("private_image|shared_image|instance_image|harbor|jfrog"),
                      field<&ImageListQuery::latest_version>("latest_version"),
                      field<&ImageListQuery::image_size>("image_size"),
                      field<&ImageListQuery::start_latest_update_time>("start_latest_update_time"),
                      field<&ImageListQuery::end_latest_update_time>("end_latest_update_time"),
                      field<&ImageListQuery::start_latest_sync_time>("start_latest_sync_time"),
                      field<&ImageListQuery::end_latest_sync_time>("end_latest_sync_time"),
                      field<&ImageListQuery::is_multarch>("is_multarch")};
  }
};
struct ImageInfo {
  std::int64_t id = 0;
  std::string namespace_name;
  std::string image_name;
  std::string image_digest;
  std::string image_version;
  std::string image_type;
  std::string registry_id;
  std::string registry_name;
  std::string registry_type;
  std::string scan_status;
  std::int64_t image_size = 0;
  std::int64_t latest_update_time = 0;
  std::int64_t latest_sync_time = 0;
  std::optional<std::int64_t> latest_scan_time;
  std::optional<std::int32_t> vul_num;
  bool is_multiple_arch = false;
  static constexpr auto fields() {
    return std::array{field<&ImageInfo::id>("id"),
                      field<&ImageInfo::namespace_name>("namespace"),
                      field<&ImageInfo::image_name>("image_name"),
                      field<&ImageInfo::image_digest>("image_digest"),
                      field<&ImageInfo::image_version>("image_version"),
                      field<&ImageInfo::image_type>("image_type"),
                      field<&ImageInfo::registry_id>("registry_id"),
                      field<&ImageInfo::registry_name>("registry_name"),
                      field<&ImageInfo::registry_type>("registry_type"),
                      field<&ImageInfo::scan_status>("scan_status"),
                      field<&ImageInfo::image_size>("image_size"),
                      field<&ImageInfo::latest_update_time>("latest_update_time"),
                      field<&ImageInfo::latest_sync_time>("latest_sync_time"),
                      field<&ImageInfo::latest_scan_time>("latest_scan_time"),
                      field<&ImageInfo::vul_num>("vul_num"),
                      field<&ImageInfo::is_multiple_arch>("is_multiple_arch")};
  }
};
struct ImageList {
  std::int32_t total_num = 0;
  std::vector<ImageInfo> data_list;
  static constexpr auto fields() {
    return std::array{field<&ImageList::total_num>("total_num"), field<&ImageList::data_list>("data_list")};
  }
};

ImageInfo to_wire(const inventory::Image& image) {
  ImageInfo info;
  info.id = image.id;
  info.namespace_name = image.namespace_name;
  info.image_name = image.name;
  info.image_digest = image.digest;
  info.image_version = image.tag;
  info.image_type = connect::hss_image_type(image.kind);
  info.registry_id = image.connection_uuid;
  info.registry_name = image.connection_name;
  info.registry_type = connect::hss_type(image.kind);
  info.scan_status = "unscan";  // add_scans() knows better
  info.image_size = image.size;
  info.latest_update_time = image.updated_at;
  info.latest_sync_time = image.synced_at;
  info.is_multiple_arch = image.multi_arch;
  return info;
}

std::string scan_status(scan::TaskStatus status) {
  switch (status) {
    case scan::TaskStatus::complete:
      return "success";
    case scan::TaskStatus::failed:
      return "failed";
    case scan::TaskStatus::scanning:
    case scan::TaskStatus::retrying:
      break;
  }
  return "scanning";
}

// Only the images of our own registry are scanned here.
Status add_scans(Call& call, const std::vector<inventory::Image>& images, std::vector<ImageInfo>& rows) {
  scan::FindScans::Request asked;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].kind != connect::Kind::own) continue;
    asked.push_back({images[i].namespace_name, images[i].name, images[i].digest});
    places.push_back(i);
  }
  if (asked.empty()) return {};
  TRY(auto scans, op::invoke<scan::FindScans>(call.rooms.scans, call.context, asked));
  for (std::size_t i = 0; i < scans.size(); ++i) {
    if (!scans[i].task) continue;
    ImageInfo& row = rows[places[i]];
    row.scan_status = scan_status(scans[i].task->status);
    row.latest_scan_time = scans[i].task->updated_at;
    bool judged = scans[i].summary && scans[i].summary->problem.empty();
    if (judged) row.vul_num = narrow(scans[i].summary->counts.total());
  }
  return {};
}

Result<ImageList> list_images(Call& call, const ImageListQuery& query, const NoBody&) {
  TRY(auto slice, hss_page(query.offset, query.limit, 1));
  inventory::ImageFilter filter;
  filter.namespace_contains = query.namespace_name.value_or("");
  filter.name_contains = query.image_name.value_or("");
  filter.tag_contains = query.image_version.value_or("");
  filter.registry_name_contains = query.registry_name.value_or("");
  filter.multi_arch = query.is_multarch;
  filter.newest_version_only = query.latest_version.value_or(false);
  filter.size_at_most = query.image_size.value_or(0);
  filter.updated_from = query.start_latest_update_time.value_or(0);
  filter.updated_until = query.end_latest_update_time.value_or(0);
  filter.synced_from = query.start_latest_sync_time.value_or(0);
  filter.synced_until = query.end_latest_sync_time.value_or(0);
  for (auto kind : {connect::Kind::own, connect::Kind::harbor, connect::Kind::jfrog,
                    connect::Kind::swr_private, connect::Kind::swr_shared, connect::Kind::swr_enterprise}) {
    if (query.image_type && connect::hss_image_type(kind) == *query.image_type) filter.kinds.push_back(kind);
  }
  TRY(auto page, op::invoke<inventory::ops::ListImages>(call.rooms.inventory, call.context, {filter, slice}));
  ImageList list;
  list.total_num = narrow(page.total);
  for (const auto& image : page.items) list.data_list.push_back(to_wire(image));
  TRY_STATUS(add_scans(call, page.items, list.data_list));
  return list;
}

}  // namespace

std::span<const Route> hss_image_routes() {
  static constexpr std::array table{
      route<&list_images>("GET", "/v5/{project_id}/image/registries/images").of(hss),
  };
  return table;
}

}  // namespace wharfage::huawei
