// Fetches one commit with git, inside the sandbox: as the build user, through the build's filtered network,
// without hooks, prompts, submodules or any configuration but ours, and only with the protocol the source
// names. Credentials lie in a file that is gone before the build starts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "build/model.h"
#include "build/rules.h"
#include "build/sandbox.h"

namespace wharfage::build {

struct Remote {
  std::string url;         // without a credential; see clone_url()
  std::string credential;  // "", "token" or "ssh"
  std::string username, secret, known_hosts;
};

struct Checkout {
  std::string reference;  // "refs/heads/main"
  std::string name;       // "main"
  std::string commit;
  RefPattern::Groups groups;  // of the pattern that chose it
};

// What a stage needs from the one who runs it.
struct Progressing {
  std::function<void(std::string_view line)> log;
  std::function<Status()> stop;  // as Watch::stop
  std::int64_t deadline_ms = 0;
};

// Into the sandbox's folder "source". Errors: conflict with a sentence for people; and those of `stop`.
Result<Checkout> fetch_source(Sandbox& sandbox, const Options& options, const Remote& remote,
                              const Recipe& recipe, const Progressing& progressing);

// The real folder a file:// URL names, when it lies under an allowed one. Error: conflict.
Result<std::string> allowed_folder(std::string_view url, const std::vector<std::string>& roots);

}  // namespace wharfage::build
