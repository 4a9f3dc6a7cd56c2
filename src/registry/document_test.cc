#include "registry/document.h"

#include "base/limits.h"
#include "registry/registry_fixture.h"

using namespace wharfage;
using namespace wharfage::registry;

namespace {

const Digest some = Digest::of("some"), other = Digest::of("other");
const std::string config = descriptor(some, 4, oci_config), layer = descriptor(other, 5, oci_layer);

std::string read(const std::string& bytes, const std::string& type = oci_manifest) {
  return outcome(parse_document(bytes, type));
}

}  // namespace

TEST_CASE("an image manifest") {
  auto document = parse_document(
      image_json(config, {layer, layer},
                 R"(,"annotations":{"a":"b"},"subject":)" + descriptor(other, 5, oci_manifest)),
      std::string(oci_manifest) + "; charset=utf-8");
  REQUIRE(document.ok());
  CHECK_FALSE(document->index);
  CHECK(document->media_type == oci_manifest);
  CHECK(document->artifact_type == oci_config);
  CHECK(document->config->digest == some);
  CHECK(document->config->size == 4);
  CHECK(document->layers.size() == 2);
  CHECK(document->subject == other);
  CHECK(parse_document(image_json(config, {}, R"(,"artifactType":"x/y")"), "")->artifact_type == "x/y");
}

TEST_CASE("an index") {
  auto document =
      parse_document(index_json({descriptor(some, 4, oci_manifest)}, R"(,"artifactType":"x/y")"), oci_index);
  REQUIRE(document.ok());
  CHECK(document->index);
  CHECK(document->children.size() == 1);
  CHECK(document->artifact_type == "x/y");
  CHECK_FALSE(document->config);
  CHECK(read(index_json({}), oci_index) == "ok");
  CHECK(read(R"({"schemaVersion":2,"manifests":null})", oci_index) == "ok");
}

TEST_CASE("what is no manifest") {
  for (const std::string& bytes :
       {std::string(), std::string("{}"), std::string("[]"), std::string("nonsense"),
        image_json(config, {}) + "x", std::string(R"({"schemaVersion":2})"), image_json("null", {}),
        image_json("[]", {}), image_json("{}", {}), image_json(config, {"1"}),
        image_json(config, {R"({"digest":"sha256:bad","size":1})"}),
        image_json(config, {R"({"digest":")" + some.text() + R"("})"}),
        image_json(config, {R"({"size":-1,"digest":")" + some.text() + R"("})"}),
        image_json(config, {R"({"size":1e30,"digest":")" + some.text() + R"("})"}),
        image_json(config, {R"({"size":"1","digest":")" + some.text() + R"("})"}),
        image_json(config, {}, R"(,"subject":"x")"), image_json(config, {}, R"(,"artifactType":7)"),
        std::string(R"({"schemaVersion":1,"config":)") + config + R"(,"layers":[]})",
        std::string(R"({"schemaVersion":2,"config":)") + config + R"(,"layers":{}})"}) {
    CAPTURE(bytes);
    CHECK(read(bytes) == "manifest_invalid");
  }
  std::vector<std::string> many(limits::manifest_references_max + 1, layer);
  CHECK(read(image_json(config, many)) == "manifest_invalid");
  many.pop_back();
  CHECK(read(image_json(config, many)) == "ok");
}

TEST_CASE("a manifest may not be two things at once") {
  const std::string children = R"(,"manifests":[)" + descriptor(some, 4, oci_manifest) + "]";
  CHECK(read(image_json(config, {layer}, children)) == "manifest_invalid");
  CHECK(read(index_json({}, R"(,"layers":[)" + layer + "]"), oci_index) == "manifest_invalid");
  CHECK(read(index_json({}, R"(,"config":)" + config), oci_index) == "manifest_invalid");
  CHECK(read(image_json(config, {}, R"(,"fsLayers":[])")) == "manifest_invalid");
  // The body says image, the request index, and the other way round; or docker's kind.
  CHECK(read(image_json(config, {}), oci_index) == "manifest_invalid");
  CHECK(read(index_json({}), oci_manifest) == "manifest_invalid");
  CHECK(read(image_json(config, {}), docker_manifest) == "manifest_invalid");
  // Readers disagree which of two equal keys counts, at any depth and however they are spelt.
  CHECK(read(image_json(config, {layer}, R"(,"layers":[])")) == "manifest_invalid");
  CHECK(read(image_json(config, {layer}, R"(,"l\u0061yers":[])")) == "manifest_invalid");
  CHECK(read(image_json(R"({"size":1,"digest":")" + some.text() + R"(","digest":")" + other.text() + R"("})",
                        {})) == "manifest_invalid");
  CHECK(read(image_json(config, {layer}, R"(,"annotations":{"a":"1","a":"2"})")) == "manifest_invalid");
  CHECK(read(image_json(config, {layer}, R"(,"x":{"a":{"b":1},"c":{"b":1}})")) == "ok");
}

TEST_CASE("kinds that are not kept") {
  for (const char* type : {"application/json", "application/vnd.docker.distribution.manifest.v1+prettyjws",
                           "application/vnd.oci.artifact.manifest.v1+json", "text/plain"}) {
    CAPTURE(type);
    CHECK(read(image_json(config, {}), type) == "unsupported");
  }
  CHECK(read(R"({"schemaVersion":2,"config":)" + config + "}", "") ==
        "unsupported");  // nobody says what it is
}

TEST_CASE("limits") {
  std::string big = image_json(config, {}, R"(,"x":")" + std::string(limits::manifest_bytes_max, 'x') + "\"");
  CHECK(read(big) == "too_large");
  std::string fits =
      image_json(config, {}, R"(,"x":")" + std::string(limits::manifest_bytes_max - 1000, 'x') + "\"");
  CHECK(read(fits) == "ok");
  std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK(read(image_json(config, {}, R"(,"x":)" + deep)) == "manifest_invalid");
}
