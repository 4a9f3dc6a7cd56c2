// The composition root: the only place that creates long-lived objects. Objects are members in the order in
// which they depend on each other, so that they end in the reverse order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "node/config.h"

namespace wharfage::meta {
class Db;
}

namespace wharfage::node {

// What the first start made known; shown once on standard output.
struct Welcome {
  bool first_start = false;
  std::string password;       // only when we made it up
  std::string password_file;  // where it was written
};

class Node {
 public:
  // Opens everything, applies migrations, listens. Environment: WHARFAGE_ADMIN_PASSWORD and
  // WHARFAGE_ADMIN_ACCESS_KEY. Errors say what is wrong with which setting or file.
  static Result<std::unique_ptr<Node>> start(const Config& config, const Environment& environment, Log log);
  ~Node();

  std::uint16_t port() const;
  const Welcome& welcome() const;
  void reload();  // certificates
  // Drains requests, gives jobs back, closes. Idempotent.
  void stop();

 private:
  struct State;
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> x_state;
};

// Applies the migrations of every room that the database lacks. Error: schema_newer.
Status bring_up_to_date(meta::Db& db);

constexpr std::string_view version = "0.1.0";

}  // namespace wharfage::node
