// What the actions on Security Center's image registries read and answer, in the vendor's names and JSON
// types (tests/data/alibaba-model.json). Registry types are acr, harbor, quay and CI/CD; NetType 1 is the
// Internet and 2 a VPC; ProtocolType 1 is HTTP and 2 HTTPS; times have no zone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wire/schema.h"

namespace wharfage::alibaba::sas {

using wire::field;
using wire::required;

// ---- queries

struct PageQuery {
  std::optional<std::int64_t> current_page;
  std::optional<std::int64_t> page_size;
  std::optional<std::string> name_like;
  std::vector<std::string> types;
  std::vector<std::string> not_types;
  static constexpr auto fields() {
    return std::array{field<&PageQuery::current_page>("CurrentPage").range(1, 1000000),
                      field<&PageQuery::page_size>("PageSize").range(1, 1000),
                      field<&PageQuery::name_like>("RegistryNameLike"),
                      field<&PageQuery::types>("RegistryTypeInList"),
                      field<&PageQuery::not_types>("RegistryTypeNotInList")};
  }
};
struct AddQuery {
  std::string domain_name;
  std::string extra_param;
  std::int64_t net_type = 0;
  std::string password;
  std::int64_t protocol_type = 0;
  std::string host_ip;
  std::string region_id;
  std::string type;
  std::string version;
  std::string user_name;
  std::optional<std::int64_t> port;
  std::optional<std::int64_t> per_hour;
  std::optional<std::string> vpc_id;
  static constexpr auto fields() {
    return std::array{field<&AddQuery::domain_name>("DomainName", required),
                      field<&AddQuery::extra_param>("ExtraParam", required),
                      field<&AddQuery::net_type>("NetType", required).range(1, 2),
                      field<&AddQuery::password>("Password", required),
                      field<&AddQuery::protocol_type>("ProtocolType", required).range(1, 2),
                      field<&AddQuery::host_ip>("RegistryHostIp", required),
                      field<&AddQuery::region_id>("RegistryRegionId", required),
                      field<&AddQuery::type>("RegistryType", required).one_of("harbor|quay"),
                      field<&AddQuery::version>("RegistryVersion", required),
                      field<&AddQuery::user_name>("UserName", required),
                      field<&AddQuery::port>("Port").range(1, 65535),
                      field<&AddQuery::per_hour>("TransPerHour").range(1, 1000000),
                      field<&AddQuery::vpc_id>("VpcId")};
  }
};
struct JenkinsQuery {
  std::optional<std::string> domain_name;
  std::optional<std::string> extra_param;
  std::optional<std::int64_t> net_type;
  std::optional<std::string> password;
  std::optional<std::int64_t> persistence_day;
  std::optional<std::int64_t> protocol_type;
  std::optional<std::string> region_id;
  std::optional<std::string> host_ip;
  std::string name;
  std::optional<std::string> type;
  std::optional<std::string> version;
  std::optional<std::int64_t> per_hour;
  std::optional<std::string> user_name;
  std::optional<std::string> vpc_id;
  std::optional<std::string> white_list;
  static constexpr auto fields() {
    return std::array{field<&JenkinsQuery::domain_name>("DomainName"),
                      field<&JenkinsQuery::extra_param>("ExtraParam"),
                      field<&JenkinsQuery::net_type>("NetType").range(1, 2),
                      field<&JenkinsQuery::password>("Password"),
                      field<&JenkinsQuery::persistence_day>("PersistenceDay").range(1, 3650),
                      field<&JenkinsQuery::protocol_type>("ProtocolType").range(1, 2),
                      field<&JenkinsQuery::region_id>("RegionId"),
                      field<&JenkinsQuery::host_ip>("RegistryHostIp"),
                      field<&JenkinsQuery::name>("RegistryName", required),
                      field<&JenkinsQuery::type>("RegistryType"),
                      field<&JenkinsQuery::version>("RegistryVersion"),
                      field<&JenkinsQuery::per_hour>("TransPerHour").range(1, 1000000),
                      field<&JenkinsQuery::user_name>("UserName"),
                      field<&JenkinsQuery::vpc_id>("VpcId"),
                      field<&JenkinsQuery::white_list>("WhiteList")};
  }
};
struct ModifyQuery {
  std::int64_t id = 0;
  std::optional<std::string> domain_name;
  std::optional<std::string> password;
  std::optional<std::int64_t> port;
  std::optional<std::string> host_ip;
  std::optional<std::int64_t> per_hour;
  std::optional<std::string> user_name;
  static constexpr auto fields() {
    return std::array{field<&ModifyQuery::id>("Id", required),
                      field<&ModifyQuery::domain_name>("DomainName"),
                      field<&ModifyQuery::password>("Password"),
                      field<&ModifyQuery::port>("Port").range(1, 65535),
                      field<&ModifyQuery::host_ip>("RegistryHostIp"),
                      field<&ModifyQuery::per_hour>("TransPerHour").range(1, 1000000),
                      field<&ModifyQuery::user_name>("UserName")};
  }
};
struct DeleteQuery {
  std::int64_t id = 0;
  static constexpr auto fields() { return std::array{field<&DeleteQuery::id>("RegistryId", required)}; }
};
struct TypeQuery {
  std::optional<std::string> lang;
  static constexpr auto fields() { return std::array{field<&TypeQuery::lang>("Lang")}; }
};

// ---- replies

// The fields of a structure that derives from another.
template <std::size_t First, std::size_t Second>
constexpr auto joined(const std::array<wire::Field, First>& first,
                      const std::array<wire::Field, Second>& second) {
  std::array<wire::Field, First + Second> all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i < First ? first[i] : second[i - First];
  return all;
}

// What every registry has in every answer.
struct Registered {
  std::string black_list;
  std::string domain_name;
  std::string created;
  std::string modified;
  std::int64_t id = 0;
  std::int64_t net_type = 0;
  std::string password;
  std::int64_t persistence_day = 0;
  std::int64_t protocol_type = 0;
  std::string region_id;
  std::string host_ip;
  std::string name;
  std::string type;
  std::string token;
  std::int64_t per_hour = 0;
  std::string user_name;
  std::string vpc_id;
  std::string white_list;
  static constexpr auto fields() {
    return std::array{field<&Registered::black_list>("BlackList"),
                      field<&Registered::domain_name>("DomainName"),
                      field<&Registered::created>("GmtCreate"),
                      field<&Registered::modified>("GmtModified"),
                      field<&Registered::id>("Id"),
                      field<&Registered::net_type>("NetType"),
                      field<&Registered::password>("Password"),
                      field<&Registered::persistence_day>("PersistenceDay"),
                      field<&Registered::protocol_type>("ProtocolType"),
                      field<&Registered::region_id>("RegionId"),
                      field<&Registered::host_ip>("RegistryHostIp"),
                      field<&Registered::name>("RegistryName"),
                      field<&Registered::type>("RegistryType"),
                      field<&Registered::token>("Token"),
                      field<&Registered::per_hour>("TransPerHour"),
                      field<&Registered::user_name>("UserName"),
                      field<&Registered::vpc_id>("VpcId"),
                      field<&Registered::white_list>("WhiteList")};
  }
};
struct Row : Registered {
  std::int64_t image_count = 0;
  std::string jenkins_env;
  static constexpr auto fields() {
    return joined(Registered::fields(),
                  std::array{field<&Row::image_count>("ImageCount"), field<&Row::jenkins_env>("JenkinsEnv")});
  }
};
struct PageInfo {
  std::int64_t count = 0;
  std::int64_t current_page = 0;
  std::int64_t page_size = 0;
  std::int64_t total_count = 0;
  static constexpr auto fields() {
    return std::array{field<&PageInfo::count>("Count"), field<&PageInfo::current_page>("CurrentPage"),
                      field<&PageInfo::page_size>("PageSize"), field<&PageInfo::total_count>("TotalCount")};
  }
};
struct PageReply {
  std::vector<Row> list;
  PageInfo page_info;
  static constexpr auto fields() {
    return std::array{field<&PageReply::list>("List"), field<&PageReply::page_info>("PageInfo")};
  }
};
struct AddData {
  std::int64_t ali_uid = 0;
  std::string domain_name;
  std::int64_t id = 0;
  std::int64_t net_type = 0;
  std::string password;
  std::int64_t protocol_type = 0;
  std::string region_id;
  std::string host_ip;
  std::string type;
  std::string version;
  std::string token;
  std::int64_t per_hour = 0;
  std::string user_name;
  std::string vpc_id;
  static constexpr auto fields() {
    return std::array{field<&AddData::ali_uid>("AliUid"),
                      field<&AddData::domain_name>("DomainName"),
                      field<&AddData::id>("Id"),
                      field<&AddData::net_type>("NetType"),
                      field<&AddData::password>("Password"),
                      field<&AddData::protocol_type>("ProtocolType"),
                      field<&AddData::region_id>("RegionId"),
                      field<&AddData::host_ip>("RegistryHostIp"),
                      field<&AddData::type>("RegistryType"),
                      field<&AddData::version>("RegistryVersion"),
                      field<&AddData::token>("Token"),
                      field<&AddData::per_hour>("TransPerHour"),
                      field<&AddData::user_name>("UserName"),
                      field<&AddData::vpc_id>("VpcId")};
  }
};
struct AddReply {
  AddData data;
  static constexpr auto fields() { return std::array{field<&AddReply::data>("Data")}; }
};
struct JenkinsReply {
  Registered data;
  std::int64_t http_status = 200;
  std::int64_t time_cost = 0;
  static constexpr auto fields() {
    return std::array{field<&JenkinsReply::data>("Data"), field<&JenkinsReply::http_status>("HttpStatusCode"),
                      field<&JenkinsReply::time_cost>("TimeCost")};
  }
};
struct ModifyReply {
  std::string code = "200";
  bool data = true;
  std::int64_t http_status = 200;
  std::string message = "successful";
  bool success = true;
  std::int64_t time_cost = 0;
  static constexpr auto fields() {
    return std::array{field<&ModifyReply::code>("Code"),
                      field<&ModifyReply::data>("Data"),
                      field<&ModifyReply::http_status>("HttpStatusCode"),
                      field<&ModifyReply::message>("Message"),
                      field<&ModifyReply::success>("Success"),
                      field<&ModifyReply::time_cost>("TimeCost")};
  }
};
struct DeleteReply {
  bool data = true;
  static constexpr auto fields() { return std::array{field<&DeleteReply::data>("Data")}; }
};
struct TypeInfo {
  std::int64_t count = 0;
  std::string type;
  static constexpr auto fields() {
    return std::array{field<&TypeInfo::count>("Count"), field<&TypeInfo::type>("RegistryType")};
  }
};
struct TypeReply {
  std::vector<TypeInfo> types;
  static constexpr auto fields() { return std::array{field<&TypeReply::types>("RegistryTypeInfos")}; }
};

}  // namespace wharfage::alibaba::sas
