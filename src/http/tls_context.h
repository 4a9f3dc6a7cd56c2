// A certificate and its key, with the authority of client certificates if there is one, ready for use by
// connections: TLS 1.2 and 1.3 with forward-secret authenticated ciphers only. Immutable and shared by its
// connections, so a renewed certificate is a new context and open connections keep theirs.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "http/server.h"

namespace wharfage::http {

class TlsContext {
 public:
  // Error: invalid_parameter, naming what cannot be used.
  static Result<std::shared_ptr<TlsContext>> load(const Tls& files);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  TimeMs expires_at() const;

  struct State;  // OpenSSL's side, see tls_state.h
  State& state() { return *x_state; }

 private:
  TlsContext();
  std::unique_ptr<State> x_state;
};

}  // namespace wharfage::http
