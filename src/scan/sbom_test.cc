#include "scan/sbom.h"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <set>

using namespace wharfage;
using namespace wharfage::scan;

namespace {

JudgedImage sample() {
  JudgedImage image;
  image.summary = {.image = "sha256:" + std::string(64, 'a'), .analysed_at = 1'790'000'000'000};
  image.layers = {{"sha256:" + std::string(64, 'b'), "sha256:" + std::string(64, 'c')}};
  image.contents.system = {.id = "debian", .version_id = "12"};
  image.contents.packages = {
      {{PackageManager::dpkg, "libstdc++6", "12.2.0-14", "gcc-12", "12.2.0-14", "amd64", ""}, 0},
      {{PackageManager::dpkg, "login", "1:4.13+dfsg1-1", "shadow", "1:4.13+dfsg1-1", "amd64", "GPL \"2\""},
       0}};
  return image;
}

}  // namespace

TEST_CASE("package URLs follow the specification") {
  auto image = sample();
  const auto& system = image.contents.system;
  CHECK(package_url(image.contents.packages[0].package, system) ==
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12");
  CHECK(package_url(image.contents.packages[1].package, system) ==
        "pkg:deb/debian/login@4.13%2Bdfsg1-1?arch=amd64&distro=debian-12&epoch=1");
  CHECK(package_url({PackageManager::apk, "busybox", "1.36.1-r5", "busybox", "1.36.1-r5", "x86_64", ""},
                    {.id = "alpine", .version_id = "3.18.4"}) ==
        "pkg:apk/alpine/busybox@1.36.1-r5?arch=x86_64&distro=alpine-3.18.4");
}

TEST_CASE("SPDX names every package once and relates it to the image") {
  auto document = boost::json::parse(write_sbom(sample(), "root/app", SbomFormat::spdx)).as_object();
  CHECK(document["spdxVersion"].as_string() == "SPDX-2.3");
  CHECK(document["packages"].as_array().size() == 3);
  CHECK(document["relationships"].as_array().size() == 3);
  std::set<std::string> ids;
  for (const auto& package : document["packages"].as_array()) ids.emplace(package.at("SPDXID").as_string());
  CHECK(ids.size() == 3);
  for (const auto& relationship : document["relationships"].as_array()) {
    CHECK(ids.contains(std::string(relationship.at("relatedSpdxElement").as_string())));
  }
  CHECK(document["creationInfo"].at("created").as_string() == "2026-09-21T14:13:20Z");
}

TEST_CASE("CycloneDX tells the layer of each component") {
  auto text = write_sbom(sample(), "root/app", SbomFormat::cyclonedx);
  CHECK(text == write_sbom(sample(), "root/app", SbomFormat::cyclonedx));
  auto document = boost::json::parse(text).as_object();
  CHECK(document["bomFormat"].as_string() == "CycloneDX");
  const auto& components = document["components"].as_array();
  REQUIRE(components.size() == 3);
  CHECK(components[1].at("properties").at(2).at("value").as_string() == "sha256:" + std::string(64, 'b'));
  CHECK_FALSE(components[2].as_object().contains("licenses"));  // not an expression
  CHECK(document["serialNumber"].as_string().size() == 45);
}
