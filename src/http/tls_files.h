// The certificate files of a server: read at the start, when somebody asks, and when they have changed. Files
// that cannot be used leave the last good certificate in place; that is logged once per change, and seen in
// facts(). Thread-safe; reading blocks, context() and facts() do not.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/log.h"
#include "http/server.h"
#include "http/tls_context.h"

namespace wharfage::http {

class TlsFiles {
 public:
  TlsFiles(Tls files, Log log) : x_files(std::move(files)), x_log(std::move(log)) {}

  Status reload();  // whatever the files' times say
  void refresh();   // when one of them has changed since they were last read
  std::shared_ptr<TlsContext> context() const;
  TlsFacts facts() const;

 private:
  Status read();
  std::string stamp() const;

  const Tls x_files;
  const Log x_log;
  std::mutex x_reading;
  std::string x_read_stamp;  // of the files as they were last read; under x_reading
  mutable std::mutex x_mutex;
  std::shared_ptr<TlsContext> x_context;
  std::string x_failure;
};

}  // namespace wharfage::http
