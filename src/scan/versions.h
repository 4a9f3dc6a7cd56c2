// Which of two package versions is newer, exactly as the package manager itself decides: dpkg
// (deb-version(7)) and apk (apk-tools 2 and 3). Pure functions over borrowed text; hostile text never fails,
// it only sorts somewhere: an advisory feed or a package database may hold anything.
#pragma once

#include <compare>
#include <string_view>

namespace wharfage::scan {

enum class VersionScheme { dpkg, apk };

std::weak_ordering compare_dpkg_versions(std::string_view a, std::string_view b);
std::weak_ordering compare_apk_versions(std::string_view a, std::string_view b);
std::weak_ordering compare_versions(VersionScheme scheme, std::string_view a, std::string_view b);

// digits(.digits)*[letter](_suffix[digits])*[~hex][-rdigits], with the suffixes apk knows.
bool apk_version_valid(std::string_view version);

}  // namespace wharfage::scan
