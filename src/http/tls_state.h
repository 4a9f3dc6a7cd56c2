// OpenSSL's objects, which only the tls*.cc files see: tls_context.cc makes them, tls.cc serves connections
// with them, tls_names.cc reads client certificates.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <memory>

#include "http/message.h"
#include "http/tls_context.h"

namespace wharfage::http {

struct TlsContext::State {
  struct MethodDeleter {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  };
  struct ContextDeleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<BIO_METHOD, MethodDeleter> method;  // of the connections' sockets
  std::unique_ptr<SSL_CTX, ContextDeleter> context;
  TimeMs expires_at = 0;
};

// In tls.cc: how OpenSSL reads and writes our sockets; null without memory.
BIO_METHOD* make_socket_method();
// In tls_names.cc. Names with a zero byte in them are left out.
std::shared_ptr<const ClientCertificate> describe(X509& certificate);

}  // namespace wharfage::http
