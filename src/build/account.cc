#include "build/account.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <optional>

#include "base/limits.h"
#include "build/process.h"

namespace wharfage::build {
namespace {

std::optional<Account> find_account(const std::string& name) {
  std::array<char, 4096> buffer;
  passwd entry{}, *found = nullptr;
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return {};
  return Account{entry.pw_uid, entry.pw_gid};
}

bool has_range(const char* file, const std::string& name) {
  std::ifstream ranges(file);
  for (std::string line; std::getline(ranges, line);) {
    if (line.compare(0, name.size() + 1, name + ":") == 0) return true;
  }
  return false;
}

Status make_account(const std::string& name) {
  Command command{.arguments = {"useradd", "--system", "--add-subids-for-system", "--no-create-home",
                                "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "--", name},
                  .environment = {fmt::format("PATH={}", search_path), "LC_ALL=C"}};
  auto made = capture(command, limits::build_tool_timeout_ms);
  if (!made.ok() && !find_account(name)) {
    return fail(Reason::unsupported, fmt::format("the build user {} does not exist and cannot be made: {}",
                                                 name, made.error().message));
  }
  return {};
}

}  // namespace

Result<Account> ensure_account(const std::string& name) {
  if (!find_account(name)) TRY_STATUS(make_account(name));
  auto account = find_account(name);
  if (!account) return fail(Reason::unsupported, fmt::format("the build user {} does not exist", name));
  if (account->uid == 0) return fail(Reason::unsupported, "builds never run as root");
  if (!has_range("/etc/subuid", name) || !has_range("/etc/subgid", name)) {
    return fail(Reason::unsupported,
                fmt::format("the build user {} has no subordinate ids: usermod --add-subuids FIRST-LAST "
                            "--add-subgids FIRST-LAST {}",
                            name, name));
  }
  return *account;
}

std::string obstacle() {
  if (geteuid() != 0) return "builds need a server that runs as root, to isolate each of them";
  for (const char* program : {"buildah", "runc", "newuidmap", "git", "ip", "nft", "nsenter"}) {
    if (find_program(program).empty()) return fmt::format("{} is not installed", program);
  }
  return "";
}

}  // namespace wharfage::build
