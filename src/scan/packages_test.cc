#include "scan/packages.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "scan/contents_json.h"
#include "scan/layer_fixture.h"

using namespace wharfage;
using namespace wharfage::scan;
using testing::read;
using testing::Tar;

namespace {

LayerAnalysis analyse(const Tar& tar) {
  auto files = read(tar.bytes());
  REQUIRE(files.ok());
  auto analysis = analyse_layer(*std::move(files));
  REQUIRE(analysis.ok());
  return *std::move(analysis);
}

ImageContents merge(const std::vector<LayerAnalysis>& layers) {
  auto contents = merge_layers(layers);
  REQUIRE(contents.ok());
  return *std::move(contents);
}

std::string names_of(const ImageContents& contents) {
  std::string names;
  for (const auto& installed : contents.packages) {
    names += installed.package.name + "=" + installed.package.version + "@" +
             std::to_string(installed.layer) + " ";
  }
  return names;
}

}  // namespace

TEST_CASE("dpkg stanzas") {
  auto packages = parse_dpkg(
      "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: "
      "3.0.11-1\n"
      "Description: libraries\n Package: not-a-field\n .\n more\n\n"
      "Package: gcc-12-base\nSource: gcc-12 (12.2.0-14)\nVersion: 12.2.0-14+b1\n\n\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
      "Package: never\nStatus: purge ok not-installed\nVersion: 1\n\n"
      "Package: half\nStatus: install ok half-configured\nVersion: 1\r\n\n"
      "Package: held\nStatus: deinstall ok installed\nVersion: 2\n\n"
      "Package: no-version\n\nVersion: 7\n\nPackage: bad name\nVersion: 1\n\n"
      "package: last\nversion: 0:1-1");
  REQUIRE(packages.size() == 5);
  CHECK(packages[0] ==
        Package{PackageManager::dpkg, "libssl3", "3.0.11-1", "openssl", "3.0.11-1", "amd64", ""});
  CHECK(packages[1].source_name == "gcc-12");
  CHECK(packages[1].source_version == "12.2.0-14");
  CHECK(packages[2].name == "half");
  CHECK(packages[2].version == "1");
  CHECK(packages[3].name == "held");
  CHECK(packages[4].name == "last");
}

TEST_CASE("apk stanzas") {
  auto packages = parse_apk(
      "C:Q1abc=\nP:libcrypto3\nV:3.1.4-r5\nA:x86_64\nL:Apache-2.0\no:openssl\nF:lib\nR:libcrypto.so.3\n\n"
      "P:musl\nV:1.2.4_git20230717-r4\n\nP:\nV:1\n\n");
  REQUIRE(packages.size() == 2);
  CHECK(packages[0] == Package{PackageManager::apk, "libcrypto3", "3.1.4-r5", "openssl", "3.1.4-r5", "x86_64",
                               "Apache-2.0"});
  CHECK(packages[1].source_name == "musl");
}

TEST_CASE("hostile stanzas stay bounded and printable") {
  std::string evil =
      "Package: a\x01\nVersion: 1\n\nPackage: ok\nVersion: 1\nArchitecture: \xff\x1b[31m\n\nPackage: " +
      std::string(10'000, 'a') + "\nVersion: 1\n";
  auto packages = parse_dpkg(evil);
  REQUIRE(packages.size() == 1);
  CHECK(packages[0].architecture == "??[31m");
  CHECK(parse_dpkg(std::string(100'000, ':')).empty());
  CHECK(parse_dpkg("Source: (\nPackage: p\nVersion: 1\nSource: ((((").at(0).source_name == "p");
}

TEST_CASE("os-release") {
  auto system = parse_os_release(
      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n#X\nVERSION_ID='12'\n"
      "VERSION_CODENAME=bookworm\nBROKEN\n=\n");
  CHECK(system.id == "debian");
  CHECK(system.version_id == "12");
  CHECK(system.codename == "bookworm");
  CHECK(system.pretty_name == "Debian GNU/Linux 12 (bookworm)");
}

TEST_CASE("an image is what its layers show together") {
  Tar base;
  base.file("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n")
      .symlink("etc/os-release", "../usr/lib/os-release");
  base.file("etc/debian_version", "12.5\n");
  base.file("var/lib/dpkg/status", "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n");
  Tar middle;
  middle.file("var/lib/dpkg/status",
              "Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\n\nPackage: c\nVersion: 1\n");
  Tar top;
  top.file("var/lib/dpkg/status", "Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\n").file("app/x", "y");
  auto contents = merge({analyse(base), analyse(middle), analyse(Tar().file("x", "y")), analyse(top)});
  CHECK(names_of(contents) == "a=1@0 b=2@1 ");
  CHECK(contents.system.version_id == "12");
  CHECK(contents.system.release == "12.5");
  CHECK(contents.has_database);
}

TEST_CASE("whiteouts hide layers below and nothing of their own") {
  Tar base;
  base.file("var/lib/dpkg/status", "Package: a\nVersion: 1\n")
      .file("var/lib/dpkg/status.d/x", "Package: x\nVersion: 1\n");
  base.file("var/lib/dpkg/status.d/y", "Package: y\nVersion: 1\n").file("etc/os-release", "ID=debian\n");
  Tar one;
  one.file("var/lib/dpkg/.wh.status", "").file("var/lib/dpkg/status.d/.wh.x", "");
  CHECK(names_of(merge({analyse(base), analyse(one)})) == "y=1@0 ");
  Tar opaque;
  opaque.file("var/lib/.wh..wh..opq", "").file("var/lib/dpkg/status", "Package: n\nVersion: 1\n");
  CHECK(names_of(merge({analyse(base), analyse(opaque)})) == "n=1@1 ");
  auto nothing = merge({analyse(base), analyse(Tar().file(".wh.var", ""))});
  CHECK(nothing.packages.empty());
  CHECK_FALSE(nothing.has_database);
  CHECK(nothing.system.id == "debian");
  CHECK_FALSE(merge({analyse(base), analyse(Tar().symlink("var", "tmp"))}).has_database);
}

TEST_CASE("Alpine is known by its own file, too") {
  Tar tar;
  tar.file("etc/alpine-release", "3.19.1\n").file("lib/apk/db/installed", "P:musl\nV:1\n");
  tar.file("usr/lib/apk/db/installed", "P:musl\nV:1\n\nP:zlib\nV:2\n");
  auto contents = merge({analyse(tar)});
  CHECK(contents.system.id == "alpine");
  CHECK(contents.system.version_id == "3.19.1");
  CHECK(names_of(contents) == "musl=1@0 zlib=2@0 ");
}

TEST_CASE("an analysis survives being stored") {
  Tar tar;
  tar.file("etc/os-release", "ID=debian\nNAME=\"\xc3\xa9\"\n")
      .file("lib/apk/db/installed", "P:a\nV:1\nL:MIT\n\nP:b\nV:2\no:s\n");
  tar.file("var/lib/dpkg/status", "Package: c\nVersion: 1+b1\nSource: s (1)\n")
      .file(".wh.etc", "")
      .file("var/.wh..wh..opq", "");
  LayerAnalysis analysis = analyse(tar);
  auto again = read_analysis(write_analysis(analysis));
  REQUIRE(again.ok());
  CHECK(*again == analysis);
  for (std::string_view text :
       {"", "[]", "{}", "{\"diffId\":1}",
        "{\"diffId\":\"x\",\"bytes\":1,\"entries\":1,\"system\":{},"
        "\"databases\":{\"var/lib/dpkg/status\":[[1]]},\"hidden\":[],\"emptied\":[]}"}) {
    CHECK_FALSE(read_analysis(text).ok());
  }
}

TEST_CASE("the contents of an image of very many packages survive being stored") {
  ImageContents contents{.system = {"debian", "12", "bookworm", "Debian", "12.5"}, .has_database = true};
  for (int i = 0; i < 20'000; ++i) {
    std::string name = "p" + std::to_string(i);
    contents.packages.push_back({{PackageManager::dpkg, name, "1", name, "1", "amd64", ""}, i % 7});
  }
  auto again = read_contents(write_contents(contents));
  REQUIRE(again.ok());
  REQUIRE(again->packages.size() == 20'000);
  CHECK(again->packages.back().package == contents.packages.back().package);
  CHECK(again->packages.back().layer == 19'999 % 7);
  CHECK(again->system.codename == "bookworm");
  CHECK_FALSE(read_contents("[]").ok());
}

TEST_CASE("this machine's own dpkg status") {
  std::ifstream file("/var/lib/dpkg/status");
  if (!file.good()) {
    MESSAGE("no /var/lib/dpkg/status here: skipped");
    return;
  }
  std::stringstream text;
  text << file.rdbuf();
  auto packages = parse_dpkg(text.str());
  CHECK(packages.size() > 50);
  bool found = false;
  for (const Package& package : packages)
    found = found || (package.name == "libc6" && package.source_name == "glibc");
  CHECK(found);
}
