#include "sync/manifest.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace wharfage;
using namespace wharfage::sync;

namespace {

std::string blob(const std::string& seed, const std::string& type = "application/x", std::int64_t size = 5) {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}}})", type, Digest::of(seed).text(), size);
}
std::string outcome(const std::string& bytes,
                    std::string_view type = "application/vnd.oci.image.manifest.v1+json") {
  auto contents = read_manifest(type, bytes);
  return contents.ok() ? "ok" : std::string(reason_name(contents.error().reason));
}

}  // namespace

TEST_CASE("what an image needs is its config and its layers, without those others distribute") {
  std::string foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  auto contents = read_manifest("application/vnd.oci.image.manifest.v1+json",
                                fmt::format(R"({{"config":{},"layers":[{},{}],"subject":{}}})", blob("c"),
                                            blob("l"), blob("w", foreign), blob("s")));
  REQUIRE(contents.ok());
  CHECK_FALSE(contents->index);
  REQUIRE(contents->blobs.size() == 2);
  CHECK(contents->blobs[0].digest == Digest::of("c"));
  CHECK(contents->subject == Digest::of("s").text());
  auto index = read_manifest(index_type, fmt::format(R"({{"manifests":[{},{}]}})", blob("a"), blob("b")));
  REQUIRE(index.ok());
  CHECK(index->index);
  CHECK(index->children.size() == 2);
}

TEST_CASE("manifests of strangers are checked") {
  CHECK(outcome("") == "manifest_invalid");
  CHECK(outcome("[]") == "manifest_invalid");
  CHECK(outcome(R"({"layers":{}})") == "manifest_invalid");
  CHECK(outcome(R"({"layers":[{"digest":"sha256:../../etc","size":1}]})") == "digest_invalid");
  CHECK(outcome(fmt::format(R"({{"layers":[{}]}})", blob("x", "t", -1))) == "manifest_invalid");
  CHECK(outcome(fmt::format(R"({{"layers":[{}]}})", blob("x", "t", std::int64_t{1} << 50))) == "too_large");
  CHECK(outcome(std::string(10'000, '[')) == "manifest_invalid");
  CHECK(outcome("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws") == "unsupported");
}

TEST_CASE("the fallback index names each referrer once") {
  std::string signature = R"({"artifactType":"application/x.sig","annotations":{"a":"b"}})";
  std::string one = *with_referrer("", Digest::of("1").text(), "application/m", signature);
  std::string two =
      *with_referrer(one, Digest::of("2").text(), "application/m", R"({"config":{"mediaType":"c"}})");
  CHECK(*with_referrer(two, Digest::of("1").text(), "application/m", signature) == two);
  auto contents = read_manifest(index_type, two);
  REQUIRE(contents.ok());
  REQUIRE(contents->children.size() == 2);
  CHECK(contents->children[1].digest == Digest::of("2"));
  CHECK(two.find(R"("artifactType":"application/x.sig")") != two.npos);
  CHECK(two.find(R"("artifactType":"c")") != two.npos);
  CHECK_FALSE(with_referrer("[]", "d", "m", "{}").ok());
  CHECK(fallback_tag(Digest::of("x")) == "sha256-" + std::string(Digest::of("x").hex()));
}
