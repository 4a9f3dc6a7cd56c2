// Who is asking, and what may be asked. Access levels form a ladder; a role is the highest rung someone
// stands on in a namespace. Denied by default (invariant 7).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace wharfage::auth {

enum class Access {
  read,        // pull, list, look at results          role guest
  write,       // push, start builds, scans, copies    role developer
  remove,      // delete tags and images               role maintainer
  manage,      // rules, policies, sources, settings   role maintainer
  administer,  // accounts, keys, connections, everything: administrators only
};
enum class Role { guest, developer, maintainer };
std::string_view role_name(Role role);
std::optional<Role> parse_role(std::string_view name);
std::optional<Role> role_needed(Access access);  // the lowest that suffices; nothing: no role does

struct Principal {
  enum class Kind { anonymous, user, robot, system };
  Kind kind = Kind::anonymous;
  std::int64_t id = 0;  // of the user or robot
  std::string name;     // "alice", "robot$ci"; "" anonymous
  bool administrator = false;
  // A one-job robot pulls what this user may pull (the build's creator); 0: nobody.
  std::int64_t acts_for_user = 0;
  // Came by a temporary login: that is good for the registry, and makes nothing that outlasts it.
  bool temporary = false;

  static Principal anonymous() { return {}; }
  static Principal system() { return {.kind = Kind::system, .name = "system", .administrator = true}; }
};

// What is acted upon. Without a namespace it is the installation itself.
struct Resource {
  std::int64_t namespace_id = 0;
  std::string name;  // "root/app", "root" or "": for the audit log and robots bound to a repository
  bool publicly_readable = false;
};

}  // namespace wharfage::auth
