// The folder everything persistent lies in: database, blobs, keys, advisory data. One process at a time owns
// it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace wharfage::node {

class DataFolder {
 public:
  // Creates the folder (0700) and takes its lock. Errors: conflict when another process has it,
  // storage_failed, also for what a backup or a restore has left unfinished.
  static Result<std::unique_ptr<DataFolder>> open(const std::string& path);
  static bool holds_data(const std::string& path);  // a server has been started on it
  // What lies in a folder while a backup or a restore is being copied into it; locked by who copies. A folder
  // with it is no registry: open() refuses it.
  static std::string unfinished(const std::string& path) { return path + "/unfinished"; }
  ~DataFolder();

  bool holds_data() const { return holds_data(x_path); }
  const std::string& path() const { return x_path; }
  std::string database() const { return x_path + "/wharfage.db"; }
  std::string master_key() const { return x_path + "/master.key"; }
  std::string advisories() const { return x_path + "/advisories"; }
  std::string admin_password() const { return x_path + "/admin-password"; }

 private:
  DataFolder(std::string path, int lock) : x_path(std::move(path)), x_lock(lock) {}
  std::string x_path;
  int x_lock;
};

// Writes a file with mode 0600, replacing it as a whole.
Status write_private_file(const std::string& path, std::string_view content);

}  // namespace wharfage::node
