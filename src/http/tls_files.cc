#include "http/tls_files.h"

#include <sys/stat.h>

namespace wharfage::http {

// What changes when a file is written, renamed or linked anew.
std::string TlsFiles::stamp() const {
  std::string stamp;
  for (const std::string& file : {x_files.certificate_file, x_files.key_file, x_files.client_ca_file}) {
    struct stat facts{};
    if (file.empty() || ::stat(file.c_str(), &facts) != 0) facts = {};
    for (auto part : {static_cast<std::int64_t>(facts.st_mtim.tv_sec), std::int64_t{facts.st_mtim.tv_nsec},
                      static_cast<std::int64_t>(facts.st_ino), std::int64_t{facts.st_size}}) {
      stamp += std::to_string(part) + " ";
    }
  }
  return stamp;
}

// The stamp is taken first: what is written while we read is read again.
Status TlsFiles::read() {
  x_read_stamp = stamp();
  auto loaded = TlsContext::load(x_files);
  std::lock_guard lock(x_mutex);
  x_failure = loaded.ok() ? std::string() : loaded.error().message;
  if (!loaded.ok()) return loaded.error();
  x_context = std::move(loaded).value();
  return {};
}

Status TlsFiles::reload() {
  std::lock_guard lock(x_reading);
  return read();
}

void TlsFiles::refresh() {
  std::lock_guard lock(x_reading);
  if (stamp() == x_read_stamp) return;
  if (Status done = read(); !done.ok()) {
    x_log.error("the changed TLS files are not used", {{"reason", done.error().message}});
  } else {
    x_log.info("the changed TLS files are in use", {{"expires", rfc3339(facts().expires_at)}});
  }
}

std::shared_ptr<TlsContext> TlsFiles::context() const {
  std::lock_guard lock(x_mutex);
  return x_context;
}

TlsFacts TlsFiles::facts() const {
  std::lock_guard lock(x_mutex);
  return {x_context ? x_context->expires_at() : 0, x_failure};
}

}  // namespace wharfage::http
