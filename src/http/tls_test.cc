// TLS on real sockets: our client against our server, and a raw OpenSSL client where bytes matter.
#include <fcntl.h>
#include <sys/stat.h>

#include <thread>

#include "http/client.h"
#include "http/test_tls.h"

using namespace wharfage;
using namespace wharfage::http;

namespace {

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

TEST_CASE("changed certificate files are noticed, and bad ones change nothing but are told") {
  Credentials credentials;
  ServerOptions options = credentials.options();
  options.timeouts.tls_poll = 5;
  Site site(echo, options);
  std::string old_pem = credentials.pem;
  REQUIRE(site.server->tls_facts());
  TimeMs first_end = site.server->tls_facts()->expires_at;
  CHECK(first_end > SystemClock().now() + 50 * minute_ms);
  CHECK(first_end <= SystemClock().now() + hour_ms);

  std::ofstream(credentials.key_file()) << "broken";
  while (site.server->tls_facts()->failure.empty()) std::this_thread::yield();
  CHECK(site.server->tls_facts()->expires_at == first_end);
  Client client(here, "t");
  CHECK(fetch(client, site, old_pem).ok());

  credentials.renew(2 * 3600);
  while (site.server->tls_facts()->expires_at == first_end) std::this_thread::yield();
  CHECK(site.server->tls_facts()->failure.empty());
  Client again(here, "t");
  CHECK(fetch(again, site, credentials.pem).ok());
}

TEST_CASE("client certificates: required, optional, and who showed one") {
  Credentials credentials, staff, stranger;
  ServerOptions options = credentials.options();
  options.tls->client_ca_file = staff.certificate_file();
  auto whoami = [](const Request& request) {
    std::string text = request.certificate
                           ? request.certificate->subject + "|" + request.certificate->common_name
                           : std::string("nobody");
    return Answered{Response::text(200, text + " END")};
  };
  // In TLS 1.3 the client only learns from its first read that it was not let in.
  auto answer = [](const Site& site, const TlsWish& wish) {
    TlsPeer peer(site.port(), wish);
    if (!peer.connected || !peer.say(get)) return std::string();
    std::string heard = peer.hear_until("END");
    std::size_t body = heard.find("\r\n\r\n");
    return body == std::string::npos ? std::string() : heard.substr(body + 4);
  };
  std::string known = "CN=" + staff.common + "|" + staff.common + " END";
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    options.tls->client_required = true;
    Site strict(whoami, options);
    CHECK(answer(strict, {.version = version, .shown = &staff}) == known);
    CHECK(answer(strict, {.version = version}).empty());
    CHECK(answer(strict, {.version = version, .shown = &stranger}).empty());
    options.tls->client_required = false;
    Site lenient(whoami, options);
    CHECK(answer(lenient, {.version = version, .shown = &staff}) == known);
    CHECK(answer(lenient, {.version = version}) == "nobody END");
    CHECK(answer(lenient, {.version = version, .shown = &stranger}).empty());
  }
  options.tls->client_ca_file = staff.folder;
  Workers workers("test", 1, 1);
  CHECK_FALSE(Server::start(options, echo, workers, Log()).ok());
}

TEST_CASE("a pipe in the place of a TLS file is refused, and not waited for") {
  for (int which : {0, 1, 2}) {
    CAPTURE(which);
    Credentials credentials;
    ServerOptions options = credentials.options();
    options.timeouts.tls_poll = 5;
    options.tls->client_ca_file = credentials.folder + "/ca.pem";
    options.tls->client_required = false;
    std::filesystem::copy_file(credentials.certificate_file(), options.tls->client_ca_file);
    std::string file = std::vector{options.tls->certificate_file, options.tls->key_file,
                                   options.tls->client_ca_file}[static_cast<std::size_t>(which)];
    Site site(echo, options);
    std::filesystem::rename(file, file + ".good");
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    while (site.server->tls_facts()->failure.empty()) std::this_thread::yield();
    CHECK(site.server->tls_facts()->failure.find("not a regular file") != std::string::npos);
    Workers workers("test", 1, 1);
    auto started = Server::start(options, echo, workers, Log());
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().message.find(file) != std::string::npos);
    std::filesystem::rename(file + ".good", file);
    while (!site.server->tls_facts()->failure.empty()) std::this_thread::yield();
  }
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
    TlsPeer peer(site.port(), {.version = version, .protocols = "\x02xx\x08http/1.1"});
    REQUIRE(peer.connected);
    CHECK(peer.protocol() == "http/1.1");
  }
  CHECK_FALSE(TlsPeer(site.port(), {.version = TLS1_1_VERSION}).connected);
  for (const char* weak : {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"}) {
    CHECK_FALSE(TlsPeer(site.port(), {.version = TLS1_2_VERSION, .ciphers = weak}).connected);
  }
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

TEST_CASE("a head and a small file share a record") {
  Credentials credentials;
  std::ofstream(credentials.folder + "/file") << "content";
  auto file = shared_file(::open((credentials.folder + "/file").c_str(), O_RDONLY));
  Site site(
      [&](const Request&) {
        Response response;
        response.body = FileRange{file, 0, 7};
        return Answered{std::move(response)};
      },
      credentials.options());
  TlsPeer peer(site.port());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(peer.say(get));
    std::string heard = peer.hear_some();  // one record
    CHECK(heard.starts_with("HTTP/1.1 200"));
    CHECK(heard.ends_with("\r\n\r\ncontent"));
  }
}

TEST_CASE("files and bodies pass through TLS exactly, in both directions") {
  Credentials credentials;
  std::string content;
  for (int i = 0; i < 100; ++i) content += random_bytes(30'011);
  std::ofstream(credentials.folder + "/file", std::ios::binary) << content;
  auto file = shared_file(::open((credentials.folder + "/file").c_str(), O_RDONLY));
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
