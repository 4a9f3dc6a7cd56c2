#include "connect/vocabulary.h"

#include <array>

namespace wharfage::connect {
namespace {

// One line per kind, in the order of the enumeration.
struct Words {
  Kind kind;
  std::string_view name, sas, hss, hss_image, swr;
};
constexpr std::array words{
    Words{Kind::own, "own", "acr", "SwrEnterprise", "instance_image", "swr-pro-internal"},
    Words{Kind::acr, "acr", "acr", "Other", "", "swr-pro"},
    Words{Kind::harbor, "harbor", "harbor", "Harbor", "harbor", "swr-pro"},
    Words{Kind::quay, "quay", "quay", "Other", "", "swr-pro"},
    Words{Kind::cicd, "cicd", "CI/CD", "Other", "", "swr-pro"},
    Words{Kind::jfrog, "jfrog", "", "Jfrog", "jfrog", "swr-pro"},
    Words{Kind::swr_private, "swr-private", "", "SwrPrivate", "private_image", "huawei-SWR"},
    Words{Kind::swr_shared, "swr-shared", "", "SwrShared", "shared_image", "huawei-SWR"},
    Words{Kind::swr_enterprise, "swr-enterprise", "", "SwrEnterprise", "instance_image", "swr-pro-internal"},
    Words{Kind::oci, "oci", "", "Other", "", "swr-pro"},
};

const Words& words_of(Kind kind) {
  return words[static_cast<std::size_t>(kind)];
}

// A cloud's name stands for several kinds: these are what a connection declared under it becomes.
struct Declared {
  std::string_view name;
  Kind kind;
};

template <std::size_t count>
std::optional<Kind> find(const std::array<Declared, count>& list, std::string_view name) {
  for (const Declared& one : list) {
    if (one.name == name) return one.kind;
  }
  return std::nullopt;
}

constexpr std::array sas_types{Declared{"acr", Kind::acr}, Declared{"harbor", Kind::harbor},
                               Declared{"quay", Kind::quay}, Declared{"CI/CD", Kind::cicd}};
constexpr std::array hss_types{Declared{"Harbor", Kind::harbor},
                               Declared{"Jfrog", Kind::jfrog},
                               Declared{"SwrPrivate", Kind::swr_private},
                               Declared{"SwrShared", Kind::swr_shared},
                               Declared{"Other", Kind::oci},
                               Declared{"SwrEnterprise", Kind::swr_enterprise}};
constexpr std::array swr_types{Declared{"swr-pro", Kind::harbor},
                               Declared{"swr-pro-internal", Kind::swr_enterprise},
                               Declared{"huawei-SWR", Kind::swr_private}};

}  // namespace

std::string_view kind_name(Kind kind) {
  return words_of(kind).name;
}

std::optional<Kind> parse_kind(std::string_view name) {
  for (const Words& one : words) {
    if (one.name == name) return one.kind;
  }
  return std::nullopt;
}

std::optional<std::string_view> sas_type(Kind kind) {
  std::string_view name = words_of(kind).sas;
  return name.empty() ? std::nullopt : std::optional(name);
}

std::optional<Kind> parse_sas_type(std::string_view name) {
  return find(sas_types, name);
}

std::string_view hss_type(Kind kind) {
  return words_of(kind).hss;
}

std::optional<Kind> parse_hss_type(std::string_view name) {
  return find(hss_types, name);
}

std::string_view hss_image_type(Kind kind) {
  return words_of(kind).hss_image;
}

std::string_view swr_type(Kind kind) {
  return words_of(kind).swr;
}

std::optional<Kind> parse_swr_type(std::string_view name) {
  return find(swr_types, name);
}

}  // namespace wharfage::connect
