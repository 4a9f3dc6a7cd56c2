#include "node/node.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "blob/old_trash.h"
#include "node/state.h"

namespace wharfage::node {
namespace {

// A port nobody uses at the moment, for `--listen host:0`.
Result<std::uint16_t> free_port() {
  int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bool bound = probe >= 0 && ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (probe >= 0) ::close(probe);
  if (!bound) return fail(Reason::conflict, "no free port");
  return ntohs(address.sin_port);
}

template <class... Lists>
std::vector<meta::Migration> joined(const Lists&... lists) {
  std::vector<meta::Migration> all;
  (all.insert(all.end(), lists.begin(), lists.end()), ...);
  return all;
}

}  // namespace

Result<Address> parse_address(const std::string& text) {
  if (!is_listen_address(text))
    return fail(Reason::invalid_parameter, "server.listen must be HOST:PORT, not " + text);
  auto colon = text.rfind(':');
  Address address{text.substr(0, colon), static_cast<std::uint16_t>(*parse_integer(text.substr(colon + 1)))};
  if (address.port == 0) {
    TRY(address.port, free_port());
  }
  return address;
}

Status bring_up_to_date(meta::Db& db) {
  return meta::migrate(db, joined(auth::schema(), op::schema(), job::schema(), registry::schema(),
                                  connect::schema(), build::schema(), scan::schema(), sign::schema(),
                                  sync::schema(), inventory::schema(), notify::schema()));
}

Result<Foundations> lay_foundations(const Config& config) {
  TRY(auto folder, DataFolder::open(config.data));
  // A new key would open none of the secrets that are there, and would lie in the right one's place.
  if (folder->holds_data() && !std::filesystem::exists(folder->master_key())) {
    return fail(Reason::storage_failed,
                "there is a database in " + folder->path() + " but no master.key: restore it from a backup");
  }
  TRY(auto vault, crypto::Vault::open(folder->master_key()));
  TRY(auto db, meta::open_sqlite(folder->database()));
  TRY_STATUS(bring_up_to_date(*db));
  TRY_STATUS(blob::empty_old_trash(folder->path()));
  TRY(auto blobs, blob::Store::open(folder->path()));
  TRY(auto key, auth::load_or_create_token_key(*db, vault));
  return Foundations{std::move(folder), std::move(vault), std::move(db), std::move(blobs), std::move(key)};
}

Node::Node(std::unique_ptr<State> state) : x_state(std::move(state)) {}
Node::~Node() {
  stop();
}

Result<std::unique_ptr<Node>> Node::start(const Config& config, const Environment& environment, Log log) {
  TRY(Address address, parse_address(config.listen));
  TRY(auto foundations, lay_foundations(config));
  Config effective = config;
  effective.data = foundations.folder->path();
  auto state = std::make_unique<State>(effective, std::move(address), std::move(foundations), std::move(log));
  TRY_STATUS(state->prepare(environment));
  TRY_STATUS(state->open());
  return std::unique_ptr<Node>(new Node(std::move(state)));
}

std::uint16_t Node::port() const {
  return x_state->server->port();
}
const Welcome& Node::welcome() const {
  return x_state->welcome;
}

void Node::reload() {
  Status reloaded = x_state->server->reload_tls();
  if (!reloaded.ok())
    x_state->log.error("certificates were not reloaded", {{"reason", reloaded.error().message}});
}

void Node::stop() {
  x_state->close();
}

}  // namespace wharfage::node
