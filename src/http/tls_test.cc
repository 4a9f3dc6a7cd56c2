// TLS on real sockets: our client against our server, and a raw OpenSSL client where bytes matter.
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "http/client.h"
#include "http/test_peer.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

std::string pem_of(int (*write)(BIO*, const void*), const void* object) {
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

  void renew() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++x_serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    std::string common = "test " + random_hex(4);
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

  std::string folder, pem;

 private:
  long x_serial = 0;
};

// A blocking TLS client over a Peer's socket.
class TlsPeer {
 public:
  explicit TlsPeer(std::uint16_t port, int version = TLS1_3_VERSION)
      : x_peer(port), x_context(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(x_context, 0);
    SSL_CTX_set_max_proto_version(x_context, version);
    SSL_CTX_set_min_proto_version(x_context, 0);
    x_ssl = SSL_new(x_context);
    SSL_set_fd(x_ssl, x_peer.descriptor());
    SSL_set_alpn_protos(x_ssl, reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
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

Result<ClientResponse> fetch(Client& client, const Site& site, std::string ca_pem, bool verify = true) {
  ClientRequest request;
  request.url = "https://127.0.0.1:" + std::to_string(site.port()) + "/x";
  request.ca_pem = std::move(ca_pem);
  request.verify_tls = verify;
  return client.send(request);
}

const AddressPolicy here{.allowed = {"127.0.0.1/32"}};
const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE("a certificate is trusted only when it is named or verification is off") {
  Credentials credentials;
  Site site(echo, credentials.options());
  Client client(here, "t");
  auto trusted = fetch(client, site, credentials.pem);
  REQUIRE(trusted.ok());
  CHECK(trusted->body == "GET /x ");
  auto untrusted = fetch(client, site, "");
  REQUIRE_FALSE(untrusted.ok());
  CHECK(untrusted.error().reason == Reason::remote_unreachable);
  CHECK(fetch(client, site, "", false).ok());
  CHECK(fetch(client, site, "not a certificate").ok() == false);
  CHECK_FALSE(fetch(client, site, "").ok());
}

TEST_CASE("renewed certificates serve new connections while open ones go on") {
  Credentials credentials;
  Site site(echo, credentials.options());
  std::string old_pem = credentials.pem;
  TlsPeer open(site.port());
  REQUIRE(open.connected);
  open.say(get);
  CHECK(open.hear_until("GET / ").find(" 200 ") != std::string::npos);

  credentials.renew();
  REQUIRE(site.server->reload_tls().ok());
  open.say(get);
  CHECK(open.hear_until("GET / ").find(" 200 ") != std::string::npos);
  Client client(here, "t");
  CHECK(fetch(client, site, credentials.pem).ok());
  CHECK_FALSE(fetch(client, site, old_pem).ok());

  std::ofstream(credentials.folder + "/key.pem") << "broken";
  CHECK_FALSE(site.server->reload_tls().ok());
  Client again(here, "t");
  CHECK(fetch(again, site, credentials.pem).ok());
}

TEST_CASE("unusable certificates keep a server from starting") {
  Credentials credentials, others;
  Workers workers("test", 1, 1);
  ServerOptions options = credentials.options();
  options.tls->key_file = others.folder + "/key.pem";
  auto started = Server::start(options, echo, workers, Log());
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().reason == Reason::invalid_parameter);
  options.tls->certificate_file = "/nonexistent";
  CHECK_FALSE(Server::start(options, echo, workers, Log()).ok());
}

TEST_CASE("TLS 1.2 and 1.3 are spoken, older versions and plain text are not, and http/1.1 is negotiated") {
  Credentials credentials;
  Site site(echo, credentials.options());
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(site.port(), version);
    REQUIRE(peer.connected);
    CHECK(peer.protocol() == "http/1.1");
  }
  CHECK_FALSE(TlsPeer(site.port(), TLS1_1_VERSION).connected);
  Peer plain(site.port());
  plain.say(get);
  CHECK(plain.hear_all().find("HTTP/1.1") == std::string::npos);
}

TEST_CASE("pipelined requests in one record are all answered") {
  Credentials credentials;
  Site site([](const Request&) { return Answered{Response::text(200, "END")}; }, credentials.options());
  TlsPeer peer(site.port());
  std::string many;
  for (int i = 0; i < 100; ++i) many += get;
  REQUIRE(peer.say(many));
  int answers = 0;
  while (answers < 100 && peer.hear_until("END").ends_with("END")) ++answers;
  CHECK(answers == 100);
  for (int i = 0; i < 3; ++i) {  // two records at once: the second is read ahead by the library
    REQUIRE(peer.say(get));
    REQUIRE(peer.say(get));
    CHECK(peer.hear_until("END").ends_with("END"));
    CHECK(peer.hear_until("END").ends_with("END"));
  }
}

TEST_CASE("files and bodies pass through TLS exactly, in both directions") {
  Credentials credentials;
  std::string content;
  for (int i = 0; i < 100; ++i) content += random_bytes(30'011);
  std::ofstream(credentials.folder + "/file", std::ios::binary) << content;
  auto file = std::make_shared<const File>(::open((credentials.folder + "/file").c_str(), O_RDONLY));
  Site site(
      [&](const Request&) {
        return Buffered{8 * 1024 * 1024, [&](Request& request) {
                          Response response;
                          response.body = FileRange{file, 1, static_cast<std::int64_t>(content.size()) - 1};
                          if (request.method == "POST") response.body = std::move(request.body);
                          return response;
                        }};
      },
      credentials.options());
  Client client(here, "t");
  auto down = fetch(client, site, credentials.pem);
  REQUIRE(down.ok());
  CHECK(down->body == content.substr(1));
  ClientRequest request;
  request.method = "POST";
  request.url = "https://127.0.0.1:" + std::to_string(site.port()) + "/";
  request.ca_pem = credentials.pem;
  request.body = content;
  auto both = client.send(request);
  REQUIRE(both.ok());
  CHECK(both->body == content);
}
