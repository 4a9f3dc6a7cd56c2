#include "build/claim.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "build/launch.h"

namespace wharfage::build {
namespace {

constexpr std::size_t tag_bytes = 8;

std::string file_of(const std::string& name) {
  return fmt::format("{}/{}", run_folder, name);
}

std::string owner_of(const std::string& work_folder) {
  std::error_code ignored;
  return std::filesystem::weakly_canonical(work_folder, ignored).string();
}

}  // namespace

std::optional<Claim> claim(std::size_t number, const std::string& work_folder) {
  Claim wanted{fmt::format("wfb{}", number), random_hex(tag_bytes)};
  std::string text = fmt::format("{}\n{}\n", owner_of(work_folder), wanted.tag);
  Handle file(open(file_of(wanted.name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return {};
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    release(wanted);
    return {};
  }
  return wanted;
}

void release(const Claim& claim) {
  unlink(file_of(claim.name).c_str());
}

std::vector<Claim> claims_of(const std::string& work_folder) {
  std::vector<Claim> claims;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(run_folder, missing)) {
    Claim found{.name = entry.path().filename().string()};
    if (found.name.substr(0, 3) != "wfb" || !entry.is_regular_file(missing)) continue;
    std::ifstream file(entry.path());
    std::string owner;
    if (!std::getline(file, owner) || !std::getline(file, found.tag)) continue;
    if (owner == owner_of(work_folder) && found.tag.size() == 2 * tag_bytes)
      claims.push_back(std::move(found));
  }
  return claims;
}

}  // namespace wharfage::build
