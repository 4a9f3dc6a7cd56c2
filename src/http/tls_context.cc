#include "http/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <ctime>
#include <string_view>

#include "http/tls_state.h"

namespace wharfage::http {
namespace {

constexpr std::size_t read_ahead_bytes = 64 * 1024;
constexpr const char* tls_1_3_ciphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* tls_1_2_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:P-256:P-384";
const std::string_view http_1_1_only = "\x08http/1.1";
const std::string_view http_2_first = "\x02h2\x08http/1.1";

int refuse_passphrase(char*, int, int, void*) {
  return -1;
}  // else OpenSSL asks on the terminal

// `ours`: our protocols as they stand on the wire, the preferred one first.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* ours) {
  const auto& list = *static_cast<const std::string_view*>(ours);
  unsigned char* found = nullptr;
  int outcome =
      SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Error tls_fault(const char* what) {
  ERR_clear_error();
  return fail(Reason::invalid_parameter, what, "tls");
}

bool prepare(SSL_CTX* context, bool http2) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need no memory here
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, read_ahead_bytes);
  SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
  const std::string_view& protocols = http2 ? http_2_first : http_1_1_only;
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<std::string_view*>(&protocols));
  return SSL_CTX_set_ciphersuites(context, tls_1_3_ciphers) == 1 &&
         SSL_CTX_set_cipher_list(context, tls_1_2_ciphers) == 1 &&
         SSL_CTX_set1_groups_list(context, groups) == 1;
}

// A pipe would be waited for, for ever. What is missing is told by whoever reads it.
Status check_files(const Tls& files) {
  for (const std::string& file : {files.certificate_file, files.key_file, files.client_ca_file}) {
    struct stat facts{};
    bool there = !file.empty() && ::stat(file.c_str(), &facts) == 0;
    if (there && !S_ISREG(facts.st_mode))
      return fail(Reason::invalid_parameter, "a TLS file is not a regular file: " + file, "tls");
  }
  return {};
}

Status use_certificate(SSL_CTX* context, const Tls& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_file.c_str()) != 1) {
    return tls_fault("the TLS certificate file cannot be used");
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return tls_fault("the TLS key file cannot be used or does not belong to the certificate");
  }
  return {};
}

// A ticket would let a client come back without showing its certificate again, so none is given.
Status ask_clients(SSL_CTX* context, const Tls& files) {
  if (files.client_ca_file.empty()) return {};
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(files.client_ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, files.client_ca_file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return tls_fault("the file with the authority of client certificates cannot be used");
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (files.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  return {};
}

TimeMs end_of(const X509* certificate) {
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return 0;
  return static_cast<TimeMs>(timegm(&end)) * second_ms;
}

}  // namespace

TlsContext::TlsContext() : x_state(std::make_unique<State>()) {}
TlsContext::~TlsContext() = default;

TimeMs TlsContext::expires_at() const {
  return x_state->expires_at;
}

Result<std::shared_ptr<TlsContext>> TlsContext::load(const Tls& files) {
  std::shared_ptr<TlsContext> loaded(new TlsContext);
  State& state = *loaded->x_state;
  state.method.reset(make_socket_method());
  state.context.reset(SSL_CTX_new(TLS_server_method()));
  if (!state.method || !state.context || !prepare(state.context.get(), files.http2)) {
    return tls_fault("TLS cannot be set up");
  }
  TRY_STATUS(check_files(files));
  TRY_STATUS(use_certificate(state.context.get(), files));
  TRY_STATUS(ask_clients(state.context.get(), files));
  state.expires_at = end_of(SSL_CTX_get0_certificate(state.context.get()));
  return loaded;
}

}  // namespace wharfage::http
