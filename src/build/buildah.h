// Builds and pushes with buildah inside the sandbox: rootless, overlay storage, runc without privileges, the
// "host" network being the sandbox's namespace. The registry is called by the names Dockerfiles use; its
// configuration leads them to the address the sandbox reaches it at. Failures are sentences for people.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "build/git.h"
#include "build/sandbox.h"

namespace wharfage::build {

struct Login {
  std::string username, password;
};

struct ImageBuild {
  std::string repository;  // "root/app"
  std::string tag;
  const Recipe* recipe = nullptr;
  bool use_cache = true;
  std::vector<std::string> annotations;  // "org.opencontainers.image.revision=…"
};

// Writes the registry and login configuration; before the other two.
Status configure_registries(Sandbox& sandbox, const Options& options, const Login& login);

// From the sandbox's folder "source". `step` follows the STEP lines; after an error it is the failing one.
Status build_image(Sandbox& sandbox, const ImageBuild& image, const Progressing& progressing,
                   std::string& step);

// To the repository and tag; the digest the registry took it under.
Result<std::string> push_image(Sandbox& sandbox, const ImageBuild& image, const Progressing& progressing);

// Pure, for tests.
std::string registries_conf(const Options& options, std::string_view location);
std::vector<std::string> own_names(const Options& options);  // of this registry in Dockerfiles
std::string login_file(const Options& options, std::string_view location, const Login& login);
std::string host_platform();
// For anything but this machine's own platform. Such builds share no layers with others: of a FROM scratch,
// buildah 1.28 takes one platform's cached layers for another's.
bool foreign(const Recipe& recipe);
// "" when this machine can run programs of that platform, else why not.
std::string platform_obstacle(std::string_view platform,
                              const std::string& handlers = "/proc/sys/fs/binfmt_misc");

}  // namespace wharfage::build
