#include "scan/advisory_builder.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <map>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "base/limits.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "scan/advisory_file.h"
#include "scan/text_pool.h"

namespace wharfage::scan {
namespace {

struct DraftRow {
  file::Text release = 0, package = 0;
  file::Row row;
};

struct Draft {
  file::Advisory advisory;
  std::vector<file::Text> lists;
  std::vector<DraftRow> rows;
};

using Key = std::pair<std::string, std::string>;  // family, id

std::uint8_t severity_byte(std::optional<Severity> severity) {
  return severity ? static_cast<std::uint8_t>(*severity) : file::Row::no_severity;
}

// Appends tables and remembers where they stand.
class Writer {
 public:
  Writer() { x_bytes.resize(sizeof(file::Header)); }

  template <class Entry>
  void add(file::SectionName name, const std::vector<Entry>& entries) {
    start(name, entries.size(), sizeof(Entry));
    if (!entries.empty()) {
      x_bytes.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(Entry));
    }
  }
  void add(file::SectionName name, std::string_view bytes) {
    start(name, bytes.size(), 1);
    x_bytes += bytes;
  }

  std::string finish(file::Header header) {
    header.magic = file::magic;
    header.version = file::format_version;
    header.header_bytes = sizeof header;
    header.file_bytes = x_bytes.size();
    header.sections = x_sections;
    std::string hash = crypto::sha256(std::string_view(x_bytes).substr(sizeof header));
    std::memcpy(header.generation.data(), hash.data(), header.generation.size());
    std::memcpy(x_bytes.data(), &header, sizeof header);
    std::string checksum = crypto::sha256(x_bytes);
    std::memcpy(header.checksum.data(), checksum.data(), header.checksum.size());
    std::memcpy(x_bytes.data(), &header, sizeof header);
    return std::move(x_bytes);
  }

 private:
  void start(file::SectionName name, std::size_t count, std::size_t entry_bytes) {
    x_bytes.append((8 - x_bytes.size() % 8) % 8, '\0');
    x_sections[name] = {x_bytes.size(), static_cast<std::uint32_t>(count),
                        static_cast<std::uint32_t>(entry_bytes)};
  }

  std::string x_bytes;
  std::array<file::Section, file::section_count> x_sections{};
};

// The tables of one file. Its texts are pooled anew, so that what was replaced leaves nothing behind.
class Compilation {
 public:
  Compilation(const TextPool& drafts, TimeMs now) : x_old(drafts) { x_header.imported_at = now; }

  void add(const Draft& draft) {
    file::Advisory advisory = draft.advisory;
    for (file::Text* text :
         {&advisory.family, &advisory.id, &advisory.summary, &advisory.details, &advisory.cvss_vector}) {
      *text = again(*text);
    }
    advisory.first_list = static_cast<std::uint32_t>(x_lists.size());
    for (file::Text item : draft.lists) x_lists.push_back(again(item));
    for (DraftRow row : draft.rows) {
      row.row.advisory = static_cast<std::uint32_t>(x_advisories.size());
      row.row.introduced = again(row.row.introduced);
      row.row.limit = again(row.row.limit);
      row.release = again(row.release);
      row.package = again(row.package);
      x_drafts.push_back(row);
    }
    // A record from the future says nothing about how fresh the data is.
    if (advisory.modified <= x_header.imported_at) {
      x_header.newest_modified = std::max(x_header.newest_modified, advisory.modified);
    }
    x_advisories.push_back(advisory);
  }

  void add_source(std::string_view name, std::size_t records) {
    x_sources.push_back({x_texts.put(name), static_cast<std::uint32_t>(records)});
  }

  Result<std::string> finish() {
    index();
    if (x_texts.full()) return fail(Reason::too_large, "the advisories hold too much text");
    Writer writer;
    writer.add(file::releases, x_releases);
    writer.add(file::packages, x_packages);
    writer.add(file::rows, x_rows);
    writer.add(file::advisories, x_advisories);
    writer.add(file::lists, x_lists);
    writer.add(file::sources, x_sources);
    writer.add(file::pool, std::string_view(x_texts.bytes()));
    return writer.finish(x_header);
  }

 private:
  file::Text again(file::Text old) { return x_texts.put(x_old.get(old)); }

  void index() {
    std::stable_sort(x_drafts.begin(), x_drafts.end(), [&](const DraftRow& a, const DraftRow& b) {
      if (a.release != b.release) return x_texts.get(a.release) < x_texts.get(b.release);
      if (a.package != b.package) return x_texts.get(a.package) < x_texts.get(b.package);
      return a.row.advisory < b.row.advisory;
    });
    x_rows.reserve(x_drafts.size());
    std::unordered_set<std::uint32_t> seen;  // advisories of the release at hand
    for (const DraftRow& draft : x_drafts) {
      bool new_release = x_releases.empty() || x_releases.back().name != draft.release;
      if (new_release) {
        seen.clear();
        x_releases.push_back({.name = draft.release,
                              .family = x_advisories[draft.row.advisory].family,
                              .first_package = static_cast<std::uint32_t>(x_packages.size())});
      }
      file::Release& release = x_releases.back();
      if (new_release || x_packages.back().name != draft.package) {
        x_packages.push_back({.name = draft.package, .first_row = static_cast<std::uint32_t>(x_rows.size())});
        ++release.package_count;
      }
      ++x_packages.back().row_count;
      ++release.row_count;
      release.advisory_count += seen.insert(draft.row.advisory).second;
      x_rows.push_back(draft.row);
    }
  }

  const TextPool& x_old;
  TextPool x_texts;
  file::Header x_header;
  std::vector<DraftRow> x_drafts;
  std::vector<file::Release> x_releases;
  std::vector<file::Package> x_packages;
  std::vector<file::Row> x_rows;
  std::vector<file::Advisory> x_advisories;
  std::vector<file::Text> x_lists;
  std::vector<file::Source> x_sources;
};

Error system_error(int number) {
  bool full = number == ENOSPC || number == EDQUOT;
  return full ? fail(Reason::disk_full)
              : fail(Reason::storage_failed, "the advisory database cannot be written");
}

Status write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fdatasync(descriptor) == 0 ? Status{} : system_error(errno);
}

}  // namespace

struct AdvisoryBuilder::State {
  TextPool texts;
  std::map<Key, Draft> drafts;
  std::map<std::string, std::size_t, std::less<>> sources;
  std::size_t row_count = 0;

  Draft draft(const Advisory& advisory) {
    Draft draft;
    draft.advisory = {.published = advisory.published,
                      .modified = advisory.modified,
                      .family = texts.put(advisory.family),
                      .id = texts.put(advisory.id),
                      .summary = texts.put(advisory.summary),
                      .details = texts.put(advisory.details),
                      .cvss_vector = texts.put(advisory.cvss_vector),
                      .secondary = advisory.secondary};
    if (advisory.cvss) {
      draft.advisory.cvss_version = static_cast<std::uint8_t>(advisory.cvss->version);
      draft.advisory.cvss_tenths = static_cast<std::uint8_t>(advisory.cvss->tenths);
    }
    draft.advisory.alias_count = add_list(draft, advisory.aliases);
    draft.advisory.cve_count = add_list(draft, advisory.cves);
    draft.advisory.reference_count = add_list(draft, advisory.references);
    for (const AffectedRange& range : advisory.ranges) {
      file::Row row{.introduced = texts.put(range.introduced),
                    .limit = texts.put(range.limit),
                    .limit_kind = static_cast<std::uint8_t>(range.limit_kind),
                    .vendor_severity = severity_byte(range.vendor_severity),
                    .end_of_life = range.end_of_life};
      draft.rows.push_back({texts.put(range.release), texts.put(range.package), row});
    }
    return draft;
  }

  std::uint16_t add_list(Draft& draft, const std::vector<std::string>& list) {
    auto count = static_cast<std::uint16_t>(std::min(list.size(), limits::advisory_list_max));
    for (std::size_t i = 0; i < count; ++i) draft.lists.push_back(texts.put(list[i]));
    return count;
  }
};

AdvisoryBuilder::AdvisoryBuilder() : x_state(std::make_unique<State>()) {}
AdvisoryBuilder::~AdvisoryBuilder() = default;

std::size_t AdvisoryBuilder::size() const {
  return x_state->drafts.size();
}

Status AdvisoryBuilder::put(Advisory advisory) {
  // The same content must give the same file, however the record came in.
  std::stable_sort(advisory.ranges.begin(), advisory.ranges.end(), [](const auto& a, const auto& b) {
    return std::tie(a.release, a.package) < std::tie(b.release, b.package);
  });
  auto [at, fresh] = x_state->drafts.try_emplace({advisory.family, advisory.id});
  if (!fresh && at->second.advisory.modified > advisory.modified) return {};
  x_state->row_count -= at->second.rows.size();
  at->second = x_state->draft(advisory);
  x_state->row_count += at->second.rows.size();
  bool fits = !x_state->texts.full() && x_state->drafts.size() <= limits::advisory_records_max &&
              x_state->row_count <= limits::advisory_rows_max;
  return fits ? Status{} : fail(Reason::too_large, "there are more advisories than this database can hold");
}

void AdvisoryBuilder::forget(const Advisory& withdrawn) {
  auto at = x_state->drafts.find({withdrawn.family, withdrawn.id});
  if (at == x_state->drafts.end() || at->second.advisory.modified > withdrawn.modified) return;
  x_state->row_count -= at->second.rows.size();
  x_state->drafts.erase(at);
}

void AdvisoryBuilder::add_source(std::string_view name, std::size_t records) {
  x_state->sources.insert_or_assign(cut(name, limits::advisory_field_max), records);
}

Result<std::string> AdvisoryBuilder::build(TimeMs now) const {
  Compilation compilation(x_state->texts, now);
  for (const auto& [key, draft] : x_state->drafts) compilation.add(draft);
  for (const auto& [name, records] : x_state->sources) compilation.add_source(name, records);
  return compilation.finish();
}

Status replace_file(const std::string& path, std::string_view bytes) {
  std::string partial = path + ".partial";
  int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (descriptor < 0) return system_error(errno);
  Status written = write_all(descriptor, bytes);
  ::close(descriptor);
  if (!written.ok() || ::rename(partial.c_str(), path.c_str()) != 0) {
    Error error = written.ok() ? system_error(errno) : written.error();
    ::unlink(partial.c_str());
    return error;
  }
  auto slash = path.rfind('/');
  std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
  int parent = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return system_error(errno);
  bool synced = ::fsync(parent) == 0;
  ::close(parent);
  return synced ? Status{} : system_error(errno);
}

}  // namespace wharfage::scan
