#include "scan/layer_reader.h"

#include <doctest/doctest.h>

#include "scan/layer_fixture.h"

using namespace wharfage;
using namespace wharfage::scan;
using testing::gzip;
using testing::read;
using testing::Tar;
using testing::zstd;

namespace {

Tar small_layer() {
  Tar tar;
  tar.folder("etc/")
      .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
      .file("./etc/debian_version", "12.5\n");
  tar.folder("var/")
      .file("/var//lib/dpkg/status", "Package: a\nVersion: 1\n")
      .file("bin/sh", std::string(100'000, 'x'));
  return tar;
}

std::string message_of(const Result<LayerFiles>& layer) {
  return layer.ok() ? "" : layer.error().message;
}

}  // namespace

TEST_CASE("the same layer reads the same whatever its compression and pieces") {
  std::string tar = small_layer().bytes();
  std::string diff_id = Digest::of(tar).text();
  for (std::string blob : {tar, gzip(tar), zstd(tar)}) {
    for (std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, blob.size()}) {
      auto layer = read(blob, piece);
      REQUIRE_MESSAGE(layer.ok(), message_of(layer));
      CHECK(layer->diff_id == diff_id);
      CHECK(layer->bytes == static_cast<std::int64_t>(tar.size()));
      CHECK(layer->entries == 6);
      CHECK(layer->files.size() == 3);
      CHECK(layer->files.at("var/lib/dpkg/status") == "Package: a\nVersion: 1\n");
      CHECK(layer->files.at("etc/debian_version") == "12.5\n");
    }
  }
}

TEST_CASE("members and frames may follow one another, and bytes may follow the end mark") {
  std::string tar = small_layer().bytes() + std::string(5000, '\0') + "behind the end";
  std::string diff_id = Digest::of(tar).text();
  std::string half = tar.substr(0, 3000);
  std::string rest = tar.substr(3000);
  for (std::string blob :
       {gzip(half) + gzip(rest), zstd(half) + zstd(rest), gzip(half) + gzip(rest) + std::string(100, '\0')}) {
    auto layer = read(blob);
    REQUIRE_MESSAGE(layer.ok(), message_of(layer));
    CHECK(layer->diff_id == diff_id);
    CHECK(layer->files.size() == 3);
  }
}

TEST_CASE("whiteouts count where they could hide something") {
  Tar tar;
  tar.file("var/lib/dpkg/.wh.status", "")
      .file("var/lib/.wh..wh..opq", "")
      .file("tmp/.wh.x", "")
      .file("home/.wh..wh..opq", "");
  tar.file(".wh.etc", "")
      .file("var/lib/dpkg/status.d/.wh.base", "")
      .file(".wh..wh.plnk", "")
      .file("lib/.wh.apk", "");
  auto layer = read(tar.bytes());
  REQUIRE(layer.ok());
  CHECK(layer->hidden ==
        std::vector<std::string>{"var/lib/dpkg/status", "etc", "var/lib/dpkg/status.d/base", "lib/apk"});
  CHECK(layer->emptied == std::vector<std::string>{"var/lib"});
}

TEST_CASE("links are never followed and take the place of what was below") {
  Tar tar;
  tar.symlink("etc/os-release", "../../../../etc/passwd").hardlink("var/lib/dpkg/status", "etc/shadow");
  tar.symlink("lib", "usr/lib").file("usr/lib/apk/db/installed", "P:a\nV:1\n").folder("etc/alpine-release");
  auto layer = read(tar.bytes());
  REQUIRE(layer.ok());
  CHECK(layer->files.size() == 1);
  CHECK(layer->hidden ==
        std::vector<std::string>{"etc/os-release", "var/lib/dpkg/status", "lib", "etc/alpine-release"});
}

TEST_CASE("names that climb are ignored") {
  std::string clean;
  CHECK(clean_path("./a//b/", clean));
  CHECK(clean == "a/b");
  CHECK_FALSE(clean_path("a/../../etc/os-release", clean));
  CHECK_FALSE(clean_path(std::string(5000, 'a'), clean));
  Tar tar;
  tar.file("x/../etc/os-release", "ID=evil\n")
      .file("../etc/os-release", "ID=evil\n")
      .file("etc/os-release", "ID=good\n");
  auto layer = read(tar.bytes());
  REQUIRE(layer.ok());
  CHECK(layer->files.at("etc/os-release") == "ID=good\n");
}

TEST_CASE("distroless packages are files of their own") {
  Tar tar;
  tar.file("var/lib/dpkg/status.d/base-files", "Package: base-files\nVersion: 12\n");
  tar.file("var/lib/dpkg/status.d/base-files.md5sums", "x").file("var/lib/dpkg/status.d/deep/er", "x");
  auto layer = read(tar.bytes());
  REQUIRE(layer.ok());
  CHECK(layer->files.size() == 1);
  CHECK(layer->files.contains("var/lib/dpkg/status.d/base-files"));
}

TEST_CASE("an empty layer is a layer") {
  auto empty = read(std::string(1024, '\0'));
  REQUIRE(empty.ok());
  CHECK(empty->diff_id == Digest::of(std::string(1024, '\0')).text());
  CHECK(read(gzip(std::string(1024, '\0'))).ok());
}

TEST_CASE("damaged layers end in an error") {
  std::string tar = small_layer().bytes();
  std::string packed = gzip(tar);
  for (std::size_t size : {std::size_t{20}, packed.size() / 2, packed.size() - 1}) {
    CHECK(message_of(read(packed.substr(0, size))).find("too early") != std::string::npos);
  }
  std::string flipped = packed;
  flipped[packed.size() / 2] ^= 0x40;
  CHECK_FALSE(read(flipped).ok());
  std::string frame = zstd(tar);
  CHECK_FALSE(read(frame.substr(0, frame.size() - 3)).ok());
  CHECK_FALSE(read("this is no archive at all, only a sentence that goes on for a while").ok());
  CHECK_FALSE(read(tar.substr(0, 700)).ok());
  CHECK(read(tar.substr(0, 700)).error().reason == Reason::scan_impossible);
}

TEST_CASE("bombs are defused") {
  std::string zeros(8 * 1024 * 1024, '\0');
  UnpackLimits limits{.bytes_max = 1 << 20};
  CHECK(message_of(read(gzip(zeros), 1000, limits)).find("too many bytes") != std::string::npos);
  limits = {.ratio_max = 100, .ratio_from = 1 << 20};
  CHECK(message_of(read(zstd(zeros), 1000, limits)).find("far more") != std::string::npos);
  Tar tar;
  tar.file("etc/os-release", std::string(limits::system_file_bytes_max + 1, 'x'));
  CHECK(message_of(read(tar.bytes())).find("too large") != std::string::npos);
}

TEST_CASE("a source's own error is passed on") {
  struct Failing final : ByteSource {
    int calls = 0;
    Result<std::string_view> next() override {
      if (++calls < 2) return std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
      return fail(Reason::canceled);
    }
  } failing;
  auto layer = read_layer(failing);
  REQUIRE_FALSE(layer.ok());
  CHECK(layer.error().reason == Reason::canceled);
}
