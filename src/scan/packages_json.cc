#include <boost/json.hpp>

#include "base/limits.h"
#include "scan/packages.h"

namespace wharfage::scan {
namespace {

namespace json = boost::json;

Error unreadable() {
  return fail(Reason::internal, "a stored layer analysis cannot be read");
}

// [name, version, source, source version, architecture, licence], cut after the last one that says something.
json::array write_package(const Package& package) {
  bool same_source = package.source_name == package.name;
  bool same_version = package.source_version == package.version;
  json::array row{package.name,
                  package.version,
                  same_source ? "" : package.source_name,
                  same_version ? "" : package.source_version,
                  package.architecture,
                  package.licence};
  while (row.size() > 2 && row.back().as_string().empty()) row.pop_back();
  return row;
}

bool read_package(const json::value& value, PackageManager manager, Package& package) {
  const json::array* row = value.if_array();
  if (!row || row->size() < 2) return false;
  std::string* members[] = {&package.name,           &package.version,      &package.source_name,
                            &package.source_version, &package.architecture, &package.licence};
  for (std::size_t i = 0; i < row->size() && i < std::size(members); ++i) {
    const json::string* text = (*row)[i].if_string();
    if (!text) return false;
    members[i]->assign(text->data(), text->size());
  }
  package.manager = manager;
  if (package.source_name.empty()) package.source_name = package.name;
  if (package.source_version.empty()) package.source_version = package.version;
  return true;
}

json::array write_list(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

bool read_list(const json::object& object, std::string_view name, std::vector<std::string>& list) {
  const json::value* value = object.if_contains(name);
  if (!value || !value->is_array()) return false;
  for (const json::value& item : value->get_array()) {
    if (!item.is_string()) return false;
    list.emplace_back(item.get_string());
  }
  return true;
}

bool read_databases(const json::object& databases, LayerAnalysis& analysis) {
  for (const auto& [path, rows] : databases) {
    if (!rows.is_array()) return false;
    bool apk = use_of(path) == FileUse::apk_installed;
    auto& packages = analysis.databases[std::string(path)];
    for (const json::value& row : rows.get_array()) {
      Package package;
      if (!read_package(row, apk ? PackageManager::apk : PackageManager::dpkg, package)) return false;
      packages.push_back(std::move(package));
    }
  }
  return true;
}

}  // namespace

std::string write_analysis(const LayerAnalysis& analysis) {
  json::object system_files;
  for (const auto& [path, text] : analysis.system_files) system_files[path] = text;
  json::object databases;
  for (const auto& [path, packages] : analysis.databases) {
    json::array rows;
    rows.reserve(packages.size());
    for (const Package& package : packages) rows.push_back(write_package(package));
    databases[path] = std::move(rows);
  }
  return json::serialize(json::object{{"diffId", analysis.diff_id},
                                      {"bytes", analysis.bytes},
                                      {"entries", analysis.entries},
                                      {"system", std::move(system_files)},
                                      {"databases", std::move(databases)},
                                      {"hidden", write_list(analysis.hidden)},
                                      {"emptied", write_list(analysis.emptied)}});
}

Result<LayerAnalysis> read_analysis(std::string_view text) {
  boost::system::error_code code;
  json::parse_options options;
  options.max_depth = limits::json_depth_max;
  json::value root = json::parse(text, code, {}, options);
  const json::object* object = code ? nullptr : root.if_object();
  if (!object) return unreadable();
  LayerAnalysis analysis;
  const json::value* diff_id = object->if_contains("diffId");
  const json::value* bytes = object->if_contains("bytes");
  const json::value* entries = object->if_contains("entries");
  const json::value* system_files = object->if_contains("system");
  const json::value* databases = object->if_contains("databases");
  bool whole = diff_id && diff_id->is_string() && bytes && bytes->is_int64() && entries &&
               entries->is_int64() && system_files && system_files->is_object() && databases &&
               databases->is_object();
  if (!whole) return unreadable();
  analysis.diff_id = std::string(diff_id->get_string());
  analysis.bytes = bytes->get_int64();
  analysis.entries = entries->get_int64();
  for (const auto& [path, value] : system_files->get_object()) {
    if (!value.is_string()) return unreadable();
    analysis.system_files[std::string(path)] = std::string(value.get_string());
  }
  if (!read_databases(databases->get_object(), analysis)) return unreadable();
  if (!read_list(*object, "hidden", analysis.hidden)) return unreadable();
  if (!read_list(*object, "emptied", analysis.emptied)) return unreadable();
  return analysis;
}

}  // namespace wharfage::scan
