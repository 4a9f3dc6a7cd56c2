#include "scan/advisory_db.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/check.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "scan/advisory_file.h"
#include "scan/mapped_file.h"

namespace wharfage::scan {
namespace {

Error damaged(std::string_view what) {
  return fail(Reason::storage_failed, "the advisory database is damaged: " + std::string(what));
}

// One table, read in place.
template <class Entry>
struct Table {
  const char* data = nullptr;
  std::uint32_t count = 0;
  Entry operator[](std::uint32_t index) const {
    Entry entry;
    std::memcpy(&entry, data + std::size_t{index} * sizeof(Entry), sizeof(Entry));
    return entry;
  }
  bool holds(std::uint32_t first, std::uint32_t number) const {
    return first <= count && number <= count - first;
  }
};

}  // namespace

struct AdvisoryDb::State {
  MappedFile file;
  file::Header header;
  Table<file::Release> releases;
  Table<file::Package> packages;
  Table<file::Row> rows;
  Table<file::Advisory> advisories;
  Table<file::Text> lists;
  Table<file::Source> sources;
  std::string_view pool;

  bool is_text(file::Text at) const {
    if (at > pool.size() || pool.size() - at < sizeof(std::uint32_t)) return false;
    std::uint32_t length = 0;
    std::memcpy(&length, pool.data() + at, sizeof length);
    return length <= pool.size() - at - sizeof length;
  }
  std::string_view text(file::Text at) const {
    std::uint32_t length = 0;
    std::memcpy(&length, pool.data() + at, sizeof length);
    return pool.substr(at + sizeof length, length);
  }

  Status check_header() {
    std::string_view bytes = file.bytes();
    if (bytes.size() < sizeof header) return damaged("it is too short");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != file::magic)
      return fail(Reason::storage_failed, "the file is not an advisory database");
    if (header.version != file::format_version || header.header_bytes != sizeof header) {
      return fail(Reason::storage_failed,
                  "the advisory database has another format version: import it again");
    }
    if (header.file_bytes != bytes.size()) return damaged("its length is wrong");
    file::Header blank = header;
    blank.checksum = {};
    Hasher hasher;
    hasher.update({reinterpret_cast<const char*>(&blank), sizeof blank});
    hasher.update(bytes.substr(sizeof header));
    std::string_view expected(reinterpret_cast<const char*>(header.checksum.data()), header.checksum.size());
    return hasher.finish().hex() == hex(expected) ? Status{} : damaged("its checksum is wrong");
  }

  template <class Entry>
  bool find_table(file::SectionName name, Table<Entry>& table) {
    const file::Section& section = header.sections[name];
    std::size_t size = file.bytes().size();
    bool inside = section.entry_bytes == sizeof(Entry) && section.offset <= size &&
                  section.count <= (size - section.offset) / sizeof(Entry);
    if (inside) table = {file.bytes().data() + section.offset, section.count};
    return inside;
  }

  Status check_tables() {
    Table<char> bytes;
    bool whole = find_table(file::releases, releases) && find_table(file::packages, packages) &&
                 find_table(file::rows, rows) && find_table(file::advisories, advisories) &&
                 find_table(file::lists, lists) && find_table(file::sources, sources) &&
                 find_table(file::pool, bytes);
    if (!whole) return damaged("a table lies outside of it");
    pool = {bytes.data, bytes.count};
    bool sound = is_text(0);
    for (std::uint32_t i = 0; sound && i < releases.count; ++i) {
      auto entry = releases[i];
      sound = is_text(entry.name) && is_text(entry.family) &&
              packages.holds(entry.first_package, entry.package_count);
    }
    for (std::uint32_t i = 0; sound && i < packages.count; ++i) {
      auto entry = packages[i];
      sound = is_text(entry.name) && rows.holds(entry.first_row, entry.row_count);
    }
    for (std::uint32_t i = 0; sound && i < rows.count; ++i) sound = check(rows[i]);
    for (std::uint32_t i = 0; sound && i < advisories.count; ++i) sound = check(advisories[i]);
    for (std::uint32_t i = 0; sound && i < lists.count; ++i) sound = is_text(lists[i]);
    for (std::uint32_t i = 0; sound && i < sources.count; ++i) sound = is_text(sources[i].name);
    return sound ? Status{} : damaged("a reference leads outside of it");
  }

  bool check(const file::Row& row) const {
    return row.advisory < advisories.count && is_text(row.introduced) && is_text(row.limit) &&
           row.limit_kind <= static_cast<std::uint8_t>(LimitKind::exact) &&
           (row.vendor_severity < severity_count || row.vendor_severity == file::Row::no_severity);
  }
  bool check(const file::Advisory& entry) const {
    std::uint32_t count = std::uint32_t{entry.alias_count} + entry.cve_count + entry.reference_count;
    return is_text(entry.family) && is_text(entry.id) && is_text(entry.summary) && is_text(entry.details) &&
           is_text(entry.cvss_vector) && lists.holds(entry.first_list, count) && entry.cvss_tenths <= 100;
  }

  // The entry with this name, by binary search over [first, first + count).
  template <class Entry>
  std::optional<Entry> find(const Table<Entry>& table, std::uint32_t first, std::uint32_t count,
                            std::string_view name) const {
    while (count > 0) {
      std::uint32_t half = count / 2;
      Entry entry = table[first + half];
      int order = text(entry.name).compare(name);
      if (order == 0) return entry;
      if (order < 0) {
        first += half + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    return std::nullopt;
  }

  Row row(const file::Row& entry) const {
    Row row{.advisory = entry.advisory,
            .introduced = text(entry.introduced),
            .limit = text(entry.limit),
            .limit_kind = static_cast<LimitKind>(entry.limit_kind),
            .end_of_life = entry.end_of_life != 0};
    if (entry.vendor_severity != file::Row::no_severity) {
      row.vendor_severity = static_cast<Severity>(entry.vendor_severity);
    }
    return row;
  }

  std::vector<std::string_view> list(std::uint32_t first, std::uint32_t count) const {
    std::vector<std::string_view> items;
    items.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) items.push_back(text(lists[first + i]));
    return items;
  }
};

AdvisoryDb::AdvisoryDb(std::unique_ptr<State> state) : x_state(std::move(state)) {}
AdvisoryDb::~AdvisoryDb() = default;

Result<std::shared_ptr<const AdvisoryDb>> AdvisoryDb::open(const std::string& path) {
  TRY(MappedFile file, MappedFile::open(path));
  auto state = std::make_unique<State>(State{.file = std::move(file)});
  TRY_STATUS(state->check_header());
  TRY_STATUS(state->check_tables());
  return std::shared_ptr<const AdvisoryDb>(new AdvisoryDb(std::move(state)));
}

std::string AdvisoryDb::generation() const {
  const auto& bytes = x_state->header.generation;
  return hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

AdvisoryStats AdvisoryDb::stats() const {
  const State& state = *x_state;
  AdvisoryStats stats{.generation = generation(),
                      .imported_at = state.header.imported_at,
                      .newest_modified = state.header.newest_modified,
                      .advisories = state.advisories.count,
                      .rows = state.rows.count,
                      .bytes = static_cast<std::int64_t>(state.header.file_bytes)};
  for (std::uint32_t i = 0; i < state.releases.count; ++i) {
    auto entry = state.releases[i];
    stats.releases.push_back(
        {std::string(state.text(entry.name)), entry.package_count, entry.row_count, entry.advisory_count});
  }
  for (std::uint32_t i = 0; i < state.sources.count; ++i) {
    auto entry = state.sources[i];
    stats.sources.push_back({std::string(state.text(entry.name)), entry.records});
  }
  return stats;
}

bool AdvisoryDb::has_release(std::string_view release) const {
  return x_state->find(x_state->releases, 0, x_state->releases.count, release).has_value();
}

std::vector<AdvisoryDb::Row> AdvisoryDb::find_rows(std::string_view release_name,
                                                   std::string_view package_name) const {
  const State& state = *x_state;
  std::vector<Row> found;
  auto release = state.find(state.releases, 0, state.releases.count, release_name);
  if (!release) return found;
  auto package = state.find(state.packages, release->first_package, release->package_count, package_name);
  if (!package) return found;
  found.reserve(package->row_count);
  for (std::uint32_t i = 0; i < package->row_count; ++i)
    found.push_back(state.row(state.rows[package->first_row + i]));
  return found;
}

AdvisoryDb::View AdvisoryDb::view(std::uint32_t index) const {
  const State& state = *x_state;
  CHECK(index < state.advisories.count, "advisories come from rows and find_advisory");
  auto entry = state.advisories[index];
  View view{.family = state.text(entry.family),
            .id = state.text(entry.id),
            .summary = state.text(entry.summary),
            .details = state.text(entry.details),
            .cvss_vector = state.text(entry.cvss_vector),
            .published = entry.published,
            .modified = entry.modified,
            .secondary = entry.secondary != 0};
  view.aliases = state.list(entry.first_list, entry.alias_count);
  view.cves = state.list(entry.first_list + entry.alias_count, entry.cve_count);
  view.references = state.list(entry.first_list + entry.alias_count + entry.cve_count, entry.reference_count);
  if (entry.cvss_version != 0) view.cvss = CvssScore{entry.cvss_version, entry.cvss_tenths};
  return view;
}

std::optional<std::uint32_t> AdvisoryDb::find_advisory(std::string_view family, std::string_view id) const {
  const State& state = *x_state;
  std::uint32_t first = 0;
  std::uint32_t count = state.advisories.count;
  while (count > 0) {
    std::uint32_t half = count / 2;
    auto entry = state.advisories[first + half];
    int order = state.text(entry.family).compare(family);
    if (order == 0) order = state.text(entry.id).compare(id);
    if (order == 0) return first + half;
    if (order < 0) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return std::nullopt;
}

Status AdvisoryDb::visit(const std::function<Status(const Advisory&)>& take) const {
  const State& state = *x_state;
  struct Place {
    std::uint32_t advisory, row, release, package;
  };
  std::vector<Place> places;
  places.reserve(state.rows.count);
  for (std::uint32_t i = 0; i < state.releases.count; ++i) {
    auto release = state.releases[i];
    for (std::uint32_t j = 0; j < release.package_count; ++j) {
      auto package = state.packages[release.first_package + j];
      for (std::uint32_t k = 0; k < package.row_count; ++k) {
        std::uint32_t row = package.first_row + k;
        places.push_back({state.rows[row].advisory, row, release.name, package.name});
      }
    }
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.advisory < b.advisory; });
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < state.advisories.count; ++i) {
    View from = view(i);
    Advisory advisory{.family = std::string(from.family),
                      .id = std::string(from.id),
                      .summary = std::string(from.summary),
                      .details = std::string(from.details),
                      .aliases = {from.aliases.begin(), from.aliases.end()},
                      .cves = {from.cves.begin(), from.cves.end()},
                      .references = {from.references.begin(), from.references.end()},
                      .cvss_vector = std::string(from.cvss_vector),
                      .cvss = from.cvss,
                      .published = from.published,
                      .modified = from.modified,
                      .secondary = from.secondary};
    for (; at < places.size() && places[at].advisory == i; ++at) {
      Row row = state.row(state.rows[places[at].row]);
      advisory.ranges.push_back({.release = std::string(state.text(places[at].release)),
                                 .package = std::string(state.text(places[at].package)),
                                 .introduced = std::string(row.introduced),
                                 .limit = std::string(row.limit),
                                 .limit_kind = row.limit_kind,
                                 .vendor_severity = row.vendor_severity,
                                 .end_of_life = row.end_of_life});
    }
    TRY_STATUS(take(advisory));
  }
  return {};
}

}  // namespace wharfage::scan
