#include "meta/journal_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <string>

#include "base/failpoint.h"

namespace wharfage::meta {
namespace {

constexpr std::size_t gathered_max = 1024 * 1024;
constexpr std::size_t piece_max = 64 * 1024;  // SQLite's own files take less than 128 KiB at once

// SQLite holds it as the sqlite3_file it begins with; the system's file of the same name lies behind it.
struct JournalFile {
  sqlite3_file file;
  sqlite3_file* real;
  std::string gathered;
  sqlite3_int64 start = 0;  // where it belongs
  // Why what was gathered could not be written: nothing of this transaction can be relied on any more.
  int failed = SQLITE_OK;

  sqlite3_int64 end() const { return start + static_cast<sqlite3_int64>(gathered.size()); }
};

JournalFile& journal(sqlite3_file* file) {
  return *reinterpret_cast<JournalFile*>(file);
}

constexpr std::size_t aligned(std::size_t size) {
  return (size + alignof(std::max_align_t) - 1) / alignof(std::max_align_t) * alignof(std::max_align_t);
}

int flush(JournalFile& to) {
  if (to.failed != SQLITE_OK) return to.failed;
  int code = !to.gathered.empty() && FAIL_POINT("meta.journal") ? SQLITE_FULL : SQLITE_OK;
  for (std::size_t at = 0; at < to.gathered.size() && code == SQLITE_OK; at += piece_max) {
    std::size_t size = std::min(piece_max, to.gathered.size() - at);
    code = to.real->pMethods->xWrite(to.real, to.gathered.data() + at, static_cast<int>(size),
                                     to.start + static_cast<sqlite3_int64>(at));
  }
  to.gathered.clear();
  to.failed = code;
  return code;
}

int close(sqlite3_file* file) {
  JournalFile& from = journal(file);
  int code = from.real->pMethods->xClose(from.real);
  from.~JournalFile();
  return code;
}

int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  JournalFile& from = journal(file);
  if (offset < from.end() && offset + size > from.start) {
    if (int code = flush(from); code != SQLITE_OK) return code;
  }
  if (from.failed != SQLITE_OK) return from.failed;
  return from.real->pMethods->xRead(from.real, bytes, size, offset);
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  JournalFile& to = journal(file);
  const auto more = static_cast<std::size_t>(size);
  if (to.failed != SQLITE_OK) return to.failed;
  if (offset != to.end() || to.gathered.size() + more > gathered_max) {
    if (int code = flush(to); code != SQLITE_OK) return code;
  }
  if (to.gathered.empty()) to.start = offset;
  // A page at most, so within its capacity: nothing is thrown.
  to.gathered.append(static_cast<const char*>(bytes), more);
  return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  JournalFile& to = journal(file);
  if (int code = flush(to); code != SQLITE_OK) return code;
  return to.real->pMethods->xTruncate(to.real, size);
}

int sync(sqlite3_file* file, int flags) {
  JournalFile& to = journal(file);
  if (int code = flush(to); code != SQLITE_OK) return code;
  return to.real->pMethods->xSync(to.real, flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  JournalFile& of = journal(file);
  if (int code = flush(of); code != SQLITE_OK) return code;
  return of.real->pMethods->xFileSize(of.real, size);
}

int lock(sqlite3_file* file, int kind) {
  sqlite3_file* real = journal(file).real;
  return real->pMethods->xLock(real, kind);
}
int unlock(sqlite3_file* file, int kind) {
  sqlite3_file* real = journal(file).real;
  return real->pMethods->xUnlock(real, kind);
}
int check_reserved_lock(sqlite3_file* file, int* held) {
  sqlite3_file* real = journal(file).real;
  return real->pMethods->xCheckReservedLock(real, held);
}
int file_control(sqlite3_file* file, int what, void* argument) {
  sqlite3_file* real = journal(file).real;
  return real->pMethods->xFileControl(real, what, argument);
}
int sector_size(sqlite3_file* file) {
  sqlite3_file* real = journal(file).real;
  return real->pMethods->xSectorSize(real);
}
int device_characteristics(sqlite3_file* file) {
  sqlite3_file* real = journal(file).real;
  return real->pMethods->xDeviceCharacteristics(real);
}

// Version 1: a journal is never mapped, and the memory that connections share belongs to the database's file.
const sqlite3_io_methods methods = {1,
                                    close,
                                    read,
                                    write,
                                    truncate,
                                    sync,
                                    file_size,
                                    lock,
                                    unlock,
                                    check_reserved_lock,
                                    file_control,
                                    sector_size,
                                    device_characteristics,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_now) {
  sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  if ((flags & SQLITE_OPEN_WAL) == 0) return system->xOpen(system, name, file, flags, flags_now);
  file->pMethods = nullptr;
  auto* real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + aligned(sizeof(JournalFile)));
  real->pMethods = nullptr;
  int code = system->xOpen(system, name, real, flags, flags_now);
  if (code != SQLITE_OK) {
    if (real->pMethods) real->pMethods->xClose(real);
    return code;
  }
  auto* made = new (file) JournalFile{{&methods}, real, {}};
  try {
    made->gathered.reserve(gathered_max);
  } catch (const std::bad_alloc&) {
    close(file);
    file->pMethods = nullptr;
    return SQLITE_NOMEM;
  }
  return SQLITE_OK;
}

struct Vfs {
  sqlite3_vfs vfs;
  Vfs() : vfs(*sqlite3_vfs_find(nullptr)) {
    vfs.zName = "wharfage-journal";
    vfs.szOsFile += static_cast<int>(aligned(sizeof(JournalFile)));
    vfs.pNext = nullptr;
    vfs.xOpen = open;
    sqlite3_vfs_register(&vfs, 0);
  }
};

}  // namespace

void forget_gathered(sqlite3* connection) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(connection, nullptr, SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (!file || file->pMethods != &methods) return;  // no journal yet
  journal(file).gathered.clear();
  journal(file).failed = SQLITE_OK;
}

const char* journal_gathering_vfs() {
  static Vfs registered;
  return registered.vfs.zName;
}

}  // namespace wharfage::meta
