// What a connected registry is, in one vocabulary, and how each cloud names it. The clouds disagree: a Harbor
// is `harbor` to Alibaba's Security Center, `Harbor` to Huawei's HSS and `swr-pro` to SWR's replication; a
// registry one of them cannot express is hidden there (sas) or called Other (HSS).
// Source: alibaba.md 2 (PageImageRegistry), huawei.md 1.1 and 3.4.
#pragma once

#include <optional>
#include <string_view>

namespace wharfage::connect {

enum class Kind {
  own,  // this installation's own registry
  acr,  // Alibaba Cloud Container Registry
  harbor,
  quay,
  cicd,  // Jenkins: tells us its images, has no registry API
  jfrog,
  swr_private,     // SWR, basic edition
  swr_shared,      // images others share with an SWR account
  swr_enterprise,  // SWR, enterprise edition
  oci,             // any other registry that speaks the distribution protocol
};

// Our own words, stored: "own", "acr", "harbor", "quay", "cicd", "jfrog", "swr-private", "swr-shared",
// "swr-enterprise", "oci".
std::string_view kind_name(Kind kind);
std::optional<Kind> parse_kind(std::string_view name);

// Security Center: acr, harbor, quay, CI/CD. Nullopt: hidden there.
std::optional<std::string_view> sas_type(Kind kind);
std::optional<Kind> parse_sas_type(std::string_view name);  // "acr" is Kind::acr, never Kind::own
// HSS: Harbor, Jfrog, SwrPrivate, SwrShared, SwrEnterprise, Other.
std::string_view hss_type(Kind kind);
std::optional<Kind> parse_hss_type(std::string_view name);
// HSS image_type: private_image, shared_image, instance_image, harbor, jfrog; "" for other registries.
std::string_view hss_image_type(Kind kind);
// SWR replication: swr-pro, swr-pro-internal, huawei-SWR. Everything else is shown as swr-pro, the one that
// stands for a registry outside of Huawei.
std::string_view swr_type(Kind kind);
std::optional<Kind> parse_swr_type(std::string_view name);

}  // namespace wharfage::connect
