#include "scan/versions.h"

#include <array>
#include <cstddef>
#include <optional>

namespace wharfage::scan {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

std::string_view take_digits(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && is_digit(rest[end])) ++end;
  std::string_view digits = rest.substr(0, end);
  rest.remove_prefix(end);
  return digits;
}

std::string_view without_leading_zeros(std::string_view digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

// Digits of any length as numbers: no integer type is long enough for 20240101123456789012.
std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  a = without_leading_zeros(a);
  b = without_leading_zeros(b);
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

struct DpkgVersion {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;
};

DpkgVersion split_dpkg(std::string_view text) {
  DpkgVersion version;
  if (auto colon = text.find(':'); colon != text.npos) {
    version.epoch = text.substr(0, colon);
    version.epoch = take_digits(version.epoch);
    text.remove_prefix(colon + 1);
  }
  auto dash = text.rfind('-');
  version.upstream = text.substr(0, dash);
  if (dash != text.npos) version.revision = text.substr(dash + 1);
  return version;
}

// `~` before the end, the end before letters, letters before everything else.
int dpkg_weight(std::string_view rest) {
  if (rest.empty() || is_digit(rest.front())) return 0;
  char c = rest.front();
  if (c == '~') return -1;
  int code = static_cast<unsigned char>(c);
  return is_letter(c) ? code : code + 256;
}

std::weak_ordering compare_dpkg_parts(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      int weight_a = dpkg_weight(a);
      int weight_b = dpkg_weight(b);
      if (weight_a != weight_b) return weight_a <=> weight_b;
      if (!a.empty()) a.remove_prefix(1);
      if (!b.empty()) b.remove_prefix(1);
    }
    std::string_view digits_a = take_digits(a);
    std::string_view digits_b = take_digits(b);
    if (auto order = compare_numbers(digits_a, digits_b); order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

// The order of the kinds matters: of two versions equal so far, the one whose next kind comes first is newer.
enum class ApkKind { component, number, letter, suffix, suffix_number, commit, revision, end, invalid };

// What stands at one place of an apk version. Compared by rank, then by text.
struct ApkValue {
  int rank = 0;
  std::string_view text;
  auto operator<=>(const ApkValue&) const = default;
};

constexpr std::array<std::string_view, 4> apk_pre_suffixes{"alpha", "beta", "pre", "rc"};
constexpr std::array<std::string_view, 5> apk_post_suffixes{"cvs", "svn", "git", "hg", "p"};

// The rank of a suffix (negative: before the release) and its length; nothing for an unknown one.
std::optional<ApkValue> find_apk_suffix(std::string_view rest) {
  int rank = -static_cast<int>(apk_pre_suffixes.size());
  for (std::string_view suffix : apk_pre_suffixes) {
    if (rest.starts_with(suffix)) return ApkValue{rank, suffix};
    ++rank;
  }
  for (std::string_view suffix : apk_post_suffixes) {
    if (rest.starts_with(suffix)) return ApkValue{rank, suffix};
    ++rank;
  }
  return std::nullopt;
}

// Walks one version from kind to kind, the way apk does.
class ApkReader {
 public:
  explicit ApkReader(std::string_view text) : x_rest(text) {}
  ApkKind kind() const { return x_kind; }

  ApkValue next() {
    if (x_rest.empty()) {
      x_kind = ApkKind::end;
      return {};
    }
    ApkValue value = read();
    if (x_kind != ApkKind::invalid) step();
    return value;
  }

 private:
  ApkValue read() {
    switch (x_kind) {
      case ApkKind::component:
        return read_component();
      case ApkKind::number:
      case ApkKind::suffix_number:
      case ApkKind::revision:
        return read_number();
      case ApkKind::letter: {
        char letter = x_rest.front();
        x_rest.remove_prefix(1);
        return {static_cast<unsigned char>(letter), {}};
      }
      case ApkKind::suffix:
        if (auto suffix = find_apk_suffix(x_rest)) {
          x_rest.remove_prefix(suffix->text.size());
          return {suffix->rank, {}};
        }
        break;
      case ApkKind::commit:
        return read_commit();
      default:
        break;
    }
    x_kind = ApkKind::invalid;
    return {-1, {}};
  }

  ApkValue read_number() {
    std::string_view digits = without_leading_zeros(take_digits(x_rest));
    return {static_cast<int>(digits.size()), digits};
  }

  // A later component with leading zeros is a fraction (.01 < .1, .0015 < .002) and compares as text.
  ApkValue read_component() {
    std::string_view digits = take_digits(x_rest);
    if (digits.starts_with('0')) return {0, digits};
    return {static_cast<int>(digits.size()), digits};
  }

  ApkValue read_commit() {
    std::size_t end = 0;
    while (end < x_rest.size() && (is_digit(x_rest[end]) || (x_rest[end] >= 'a' && x_rest[end] <= 'f')))
      ++end;
    ApkValue value{0, x_rest.substr(0, end)};
    x_rest.remove_prefix(end);
    return value;
  }

  void step() {
    ApkKind kind = find_next_kind();
    bool in_order = kind >= x_kind || (kind == ApkKind::component && x_kind == ApkKind::number) ||
                    (kind == ApkKind::suffix && x_kind == ApkKind::suffix_number) ||
                    (kind == ApkKind::number && x_kind == ApkKind::letter);
    x_kind = in_order ? kind : ApkKind::invalid;
  }

  ApkKind find_next_kind() {
    if (x_rest.empty()) return ApkKind::end;
    char c = x_rest.front();
    if ((x_kind == ApkKind::number || x_kind == ApkKind::component) && is_lower(c)) return ApkKind::letter;
    if (x_kind == ApkKind::letter && is_digit(c)) return ApkKind::number;
    if (x_kind == ApkKind::suffix && is_digit(c)) return ApkKind::suffix_number;
    x_rest.remove_prefix(1);
    if (c == '.') return ApkKind::component;
    if (c == '_') return ApkKind::suffix;
    if (c == '~') return ApkKind::commit;
    if (c == '-' && x_rest.starts_with('r') && (x_rest.size() == 1 || !is_letter(x_rest[1]))) {
      x_rest.remove_prefix(1);
      return ApkKind::revision;
    }
    return ApkKind::invalid;
  }

  std::string_view x_rest;
  ApkKind x_kind = ApkKind::number;
};

// Whether what follows makes the version older: a pre-release suffix, or a dot with no number behind it.
bool goes_back(ApkReader reader) {
  if (reader.kind() == ApkKind::component) return reader.next().text.empty();
  return reader.kind() == ApkKind::suffix && reader.next().rank < 0;
}

}  // namespace

std::weak_ordering compare_dpkg_versions(std::string_view a, std::string_view b) {
  DpkgVersion left = split_dpkg(a);
  DpkgVersion right = split_dpkg(b);
  if (auto order = compare_numbers(left.epoch, right.epoch); order != 0) return order;
  if (auto order = compare_dpkg_parts(left.upstream, right.upstream); order != 0) return order;
  return compare_dpkg_parts(left.revision, right.revision);
}

std::weak_ordering compare_apk_versions(std::string_view a, std::string_view b) {
  ApkReader left(a);
  ApkReader right(b);
  auto order = std::strong_ordering::equal;
  while (left.kind() == right.kind() && left.kind() < ApkKind::end && order == 0) {
    ApkValue value_left = left.next();
    ApkValue value_right = right.next();
    order = value_left <=> value_right;
  }
  if (order != 0) return order;
  if (left.kind() == right.kind()) return std::weak_ordering::equivalent;
  // Equal so far: what goes on is newer, unless it goes back.
  if (goes_back(left)) return std::weak_ordering::less;
  if (goes_back(right)) return std::weak_ordering::greater;
  return right.kind() <=> left.kind();
}

std::weak_ordering compare_versions(VersionScheme scheme, std::string_view a, std::string_view b) {
  return scheme == VersionScheme::dpkg ? compare_dpkg_versions(a, b) : compare_apk_versions(a, b);
}

bool apk_version_valid(std::string_view rest) {
  if (take_digits(rest).empty()) return false;
  while (rest.starts_with('.')) {
    rest.remove_prefix(1);
    if (take_digits(rest).empty()) return false;
  }
  if (!rest.empty() && is_lower(rest.front())) rest.remove_prefix(1);
  while (rest.starts_with('_')) {
    rest.remove_prefix(1);
    auto suffix = find_apk_suffix(rest);
    if (!suffix) return false;
    rest.remove_prefix(suffix->text.size());
    take_digits(rest);
  }
  if (rest.starts_with('~')) {
    rest.remove_prefix(1);
    std::size_t digits = 0;
    while (digits < rest.size() && (is_digit(rest[digits]) || (rest[digits] >= 'a' && rest[digits] <= 'f')))
      ++digits;
    if (digits == 0) return false;
    rest.remove_prefix(digits);
  }
  if (rest.starts_with("-r")) {
    rest.remove_prefix(2);
    if (take_digits(rest).empty()) return false;
  }
  return rest.empty();
}

}  // namespace wharfage::scan
