// Who uses the name "wfb<N>". A file /run/wharfage-build/wfb<N> says which work folder (so that after a crash
// each server finds its own leftovers) and a random tag. The file alone is not enough: installations in
// containers may share the host's network but not its /run. So the device and the filter table carry the tag
// too, and nobody removes what does not carry his.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wharfage::build {

inline constexpr const char* run_folder = "/run/wharfage-build";

struct Claim {
  std::string name;                                       // "wfb3"
  std::string tag;                                        // 16 hex digits
  std::string group() const { return name + "-" + tag; }  // its control group
};

std::optional<Claim> claim(std::size_t number, const std::string& work_folder);  // nullopt: taken
void release(const Claim& claim);
std::vector<Claim> claims_of(const std::string& work_folder);

}  // namespace wharfage::build
