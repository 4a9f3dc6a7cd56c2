#include "scan/advisory_import.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/limits.h"
#include "base/text.h"
#include "scan/advisory_builder.h"
#include "scan/mapped_file.h"
#include "scan/osv.h"

namespace wharfage::scan {
namespace {

namespace fs = std::filesystem;

// Held while an import runs; the kernel drops it when the process dies.
class ImportLock {
 public:
  explicit ImportLock(const std::string& database)
      : x_descriptor(::open((database + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)) {}
  ~ImportLock() {
    if (x_descriptor >= 0) ::close(x_descriptor);
  }
  ImportLock(const ImportLock&) = delete;
  ImportLock& operator=(const ImportLock&) = delete;

  Status take() {
    if (x_descriptor < 0) return fail(Reason::storage_failed, "the advisory database cannot be written");
    if (::flock(x_descriptor, LOCK_EX | LOCK_NB) == 0) return {};
    return fail(Reason::conflict, "another import of advisories is running");
  }

 private:
  int x_descriptor;
};

class Import {
 public:
  AdvisoryBuilder builder;
  ImportReport report;

  Status read_path(const std::string& path) {
    std::error_code code;
    auto status = fs::status(path, code);
    std::int64_t before = report.used + report.withdrawn;
    Status read;
    if (fs::is_directory(status)) {
      read = read_folder(path);
    } else if (fs::is_regular_file(status)) {
      read = read_file(path);
    } else {
      return fail(Reason::invalid_parameter, "there is no such file or folder", path);
    }
    TRY_STATUS(std::move(read));
    std::int64_t used = report.used + report.withdrawn - before;
    if (used == 0)
      return fail(Reason::invalid_parameter, "it holds no advisories for a supported system", path);
    builder.add_source(fs::path(path).filename().string(), static_cast<std::size_t>(used));
    return {};
  }

 private:
  Status read_folder(const std::string& path) {
    std::error_code code;
    fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, code);
    for (fs::recursive_directory_iterator end; !code && at != end; at.increment(code)) {
      if (at.depth() >= limits::advisory_folder_depth_max) at.disable_recursion_pending();
      std::error_code ignored;
      if (at->is_symlink(ignored) || !at->is_regular_file(ignored)) continue;
      std::string extension = lower(at->path().extension().string());
      if (extension == ".json" || extension == ".zip") TRY_STATUS(read_file(at->path().string()));
    }
    return code ? fail(Reason::invalid_parameter, "the folder cannot be read", path) : Status{};
  }

  Status read_file(const std::string& path) {
    if (lower(fs::path(path).extension().string()) != ".json") return read_archive(path);
    std::error_code code;
    if (fs::file_size(path, code) > limits::advisory_json_max || code) {
      ++report.damaged;
      return {};
    }
    TRY(MappedFile file, MappedFile::open(path));
    return take(file.bytes());
  }

  Status read_archive(const std::string& path) {
    std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(), archive_read_free);
    archive_read_support_format_zip(reader.get());
    archive_read_support_format_tar(reader.get());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_zstd(reader.get());
    auto unreadable = [&] {
      return fail(Reason::invalid_parameter, "it is not a readable archive of advisories", path);
    };
    if (archive_read_open_filename(reader.get(), path.c_str(), 256 * 1024) != ARCHIVE_OK) return unreadable();
    std::string json;
    for (std::size_t entries = 0; entries < limits::advisory_records_max; ++entries) {
      archive_entry* entry = nullptr;
      int code = archive_read_next_header(reader.get(), &entry);
      if (code == ARCHIVE_EOF) return {};
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return unreadable();
      const char* name = archive_entry_pathname(entry);
      bool wanted = name && lower(name).ends_with(".json") && archive_entry_filetype(entry) == AE_IFREG;
      if (!wanted) continue;
      if (!read_entry(reader.get(), json)) {
        ++report.damaged;
        continue;
      }
      TRY_STATUS(take(json));
    }
    return fail(Reason::too_large, "the archive holds too many files", path);
  }

  // False when the entry is too long or cannot be unpacked.
  static bool read_entry(archive* reader, std::string& json) {
    json.clear();
    while (true) {
      constexpr std::size_t step = 64 * 1024;
      std::size_t used = json.size();
      json.resize(used + step);
      la_ssize_t count = archive_read_data(reader, json.data() + used, step);
      json.resize(used + (count > 0 ? static_cast<std::size_t>(count) : 0));
      if (count == 0) return true;
      if (count < 0 || json.size() > limits::advisory_json_max) return false;
    }
  }

  Status take(std::string_view json) {
    ++report.records;
    auto record = x_reader.read(json);
    if (!record.ok()) {
      ++report.damaged;
      return {};
    }
    if (record->advisories.empty()) ++report.ignored;
    for (const Advisory& advisory : record->advisories) {
      if (record->withdrawn) {
        builder.forget(advisory);
      } else {
        TRY_STATUS(builder.put(advisory));
      }
    }
    if (!record->advisories.empty()) ++(record->withdrawn ? report.withdrawn : report.used);
    return {};
  }

  OsvReader x_reader;
};

// What the present database knows; a damaged or outdated one is simply left behind.
Status carry_over(const std::string& database, AdvisoryBuilder& builder) {
  auto old = AdvisoryDb::open(database);
  if (!old.ok()) return {};
  for (const AdvisoryStats::Source& source : (*old)->stats().sources) {
    builder.add_source(source.name, static_cast<std::size_t>(source.records));
  }
  return (*old)->visit([&](const Advisory& advisory) { return builder.put(advisory); });
}

}  // namespace

Result<ImportReport> import_advisories(const std::vector<std::string>& paths, const std::string& database,
                                       ImportMode mode, const Clock& clock) {
  if (paths.empty()) return fail(Reason::missing_parameter, "name at least one file or folder to import");
  for (const std::string& path : paths) {
    std::error_code error;
    auto status = fs::status(path, error);
    if (!fs::is_directory(status) && !fs::is_regular_file(status))
      return fail(Reason::invalid_parameter, "there is no such file or folder", path);
  }
  std::int64_t started = monotonic_ms();
  std::error_code error;
  fs::create_directories(fs::path(database).parent_path(), error);
  ImportLock lock(database);
  TRY_STATUS(lock.take());
  Import import;
  if (mode == ImportMode::add) TRY_STATUS(carry_over(database, import.builder));
  for (const std::string& path : paths) TRY_STATUS(import.read_path(path));
  {
    TRY(std::string bytes, import.builder.build(clock.now()));
    TRY_STATUS(replace_file(database, bytes));
  }
  TRY(auto written, AdvisoryDb::open(database));
  import.report.stats = written->stats();
  import.report.duration_ms = monotonic_ms() - started;
  return import.report;
}

}  // namespace wharfage::scan
