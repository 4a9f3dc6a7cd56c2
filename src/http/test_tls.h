// Certificates made on the spot and a raw OpenSSL client, for the tests of this room.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/random.h"
#include "http/test_peer.h"

namespace wharfage::http {

inline std::string pem_of(int (*write)(BIO*, const void*), const void* object) {
  BIO* bio = BIO_new(BIO_s_mem());
  write(bio, object);
  char* bytes = nullptr;
  long size = BIO_get_mem_data(bio, &bytes);
  std::string pem(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

// A folder with a fresh self-signed certificate for 127.0.0.1.
class Credentials {
 public:
  Credentials() {
    char name[] = "/tmp/wharfage-tls-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    renew();
  }
  ~Credentials() { std::filesystem::remove_all(folder); }

  void renew(long lifetime_s = 3600) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++x_serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime_s);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    common = "test " + random_hex(4);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    for (auto [nid, value] : {std::pair{NID_subject_alt_name, "IP:127.0.0.1"},
                              std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(certificate, key, EVP_sha256());
    pem = pem_of([](BIO* bio, const void* x) { return PEM_write_bio_X509(bio, static_cast<const X509*>(x)); },
                 certificate);
    std::ofstream(folder + "/cert.pem") << pem;
    std::ofstream(folder + "/key.pem") << pem_of(
        [](BIO* bio, const void* x) {
          return PEM_write_bio_PrivateKey(bio, static_cast<const EVP_PKEY*>(x), nullptr, nullptr, 0, nullptr,
                                          nullptr);
        },
        key);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

  ServerOptions options() const {
    ServerOptions options;
    options.tls = Tls{folder + "/cert.pem", folder + "/key.pem"};
    return options;
  }

  std::string certificate_file() const { return folder + "/cert.pem"; }
  std::string key_file() const { return folder + "/key.pem"; }

  std::string folder, pem, common;

 private:
  long x_serial = 0;
};

struct TlsWish {
  int version = TLS1_3_VERSION;            // at most
  std::string protocols = "\x08http/1.1";  // as on the wire
  const char* ciphers = nullptr;           // of TLS 1.2
  const Credentials* shown = nullptr;      // the client's own certificate
};

// A blocking TLS client over a Peer's socket.
class TlsPeer {
 public:
  explicit TlsPeer(std::uint16_t port, const TlsWish& wish = {})
      : x_peer(port), x_context(SSL_CTX_new(TLS_client_method())) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that the server may have closed
    SSL_CTX_set_security_level(x_context, 0);
    SSL_CTX_set_max_proto_version(x_context, wish.version);
    SSL_CTX_set_min_proto_version(x_context, 0);
    if (wish.ciphers != nullptr) SSL_CTX_set_cipher_list(x_context, wish.ciphers);
    if (wish.shown != nullptr) {
      SSL_CTX_use_certificate_chain_file(x_context, wish.shown->certificate_file().c_str());
      SSL_CTX_use_PrivateKey_file(x_context, wish.shown->key_file().c_str(), SSL_FILETYPE_PEM);
    }
    x_ssl = SSL_new(x_context);
    SSL_set_fd(x_ssl, x_peer.descriptor());
    SSL_set_alpn_protos(x_ssl, reinterpret_cast<const unsigned char*>(wish.protocols.data()),
                        static_cast<unsigned>(wish.protocols.size()));
    connected = SSL_connect(x_ssl) == 1;
  }
  ~TlsPeer() {
    SSL_free(x_ssl);
    SSL_CTX_free(x_context);
  }
  bool say(std::string_view bytes) {
    std::size_t count = 0;
    return bytes.empty() ||
           (SSL_write_ex(x_ssl, bytes.data(), bytes.size(), &count) == 1 && count == bytes.size());
  }
  std::string hear(std::size_t wanted) {
    std::string heard(wanted, '\0');
    std::size_t at = 0, count = 0;
    while (at < wanted && SSL_read_ex(x_ssl, heard.data() + at, wanted - at, &count) == 1) at += count;
    heard.resize(at);
    return heard;
  }
  // What is there next; empty at the end.
  std::string hear_some() {
    std::string heard(65536, '\0');
    std::size_t count = 0;
    if (SSL_read_ex(x_ssl, heard.data(), heard.size(), &count) != 1) count = 0;
    heard.resize(count);
    return heard;
  }
  void leave() { x_peer.leave(); }
  std::string hear_until(std::string_view end) {
    std::string heard;
    while (!heard.ends_with(end)) {
      std::string next = hear(1);
      if (next.empty()) break;
      heard += next;
    }
    return heard;
  }
  std::string protocol() {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(x_ssl, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  bool connected = false;

 private:
  Peer x_peer;
  SSL_CTX* x_context;
  SSL* x_ssl = nullptr;
};

}  // namespace wharfage::http
