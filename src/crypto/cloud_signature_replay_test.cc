#include "crypto/cloud_signature.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "crypto/cloud_signature_fixture.h"

using namespace wharfage;
using namespace wharfage::crypto;

namespace {

bool is_signature_error(Reason reason) {
  return reason == Reason::signature_mismatch || reason == Reason::signature_malformed ||
         reason == Reason::signature_unsupported;
}

// Changes every byte of `part`, one at a time, and counts the copies that still verify.
int survivors(Captured& captured, std::string& part) {
  int count = 0;
  for (std::size_t at = 0; at < part.size(); ++at) {
    const char was = part[at];
    part[at] = was == 'q' ? 'z' : 'q';
    Status status = captured.verify();
    if (status.ok() || !is_signature_error(status.error().reason)) {
      ++count;
      MESSAGE(captured.name << " still verifies with byte " << at << " changed in " << part);
    }
    part[at] = was;
  }
  return count;
}

void check_altered_copies(Captured captured) {
  CAPTURE(captured.name);
  SignatureClaim claim = captured.read().value();
  CHECK(survivors(captured, captured.path) == 0);
  CHECK(survivors(captured, captured.query) == 0);
  CHECK(survivors(captured, captured.body) == 0);
  CHECK(survivors(captured, captured.method) == 0);
  for (const std::string& name : claim.signed_headers) {
    CAPTURE(name);
    std::string* value = captured.header(name);
    REQUIRE(value);
    *value = std::string(trim(*value));  // blanks around a value do not count
    CHECK(survivors(captured, *value) == 0);
    Captured without = captured;
    std::erase_if(without.headers, [&](const auto& field) { return same_ignoring_case(field.first, name); });
    CHECK_FALSE(without.verify().ok());
    Captured doubled = captured;
    doubled.headers.emplace_back(name, "other");
    CHECK_FALSE(doubled.verify().ok());
  }
  if (std::string* authorization = captured.header("authorization")) {
    std::string was = *authorization;
    auto start = was.find("Signature=") + 10;
    for (std::size_t at = start; at < was.size(); ++at) {
      (*authorization)[at] = was[at] == '0' ? '1' : '0';
      CHECK(captured.verify().error().reason == Reason::signature_mismatch);
      *authorization = was;
    }
    CHECK(survivors(captured, *authorization) == 0);
  }
  for (std::string_view more : {"x", "&x=1", "\n"}) {
    Captured longer = captured;
    longer.body += more;
    CHECK_FALSE(longer.verify().ok());
  }
  captured.query += captured.query.empty() ? "x=1" : "&x=1";
  CHECK_FALSE(captured.verify().ok());
}

}  // namespace

TEST_CASE("every captured Alibaba request verifies, and each altered copy does not") {
  Captures captures = alibaba_captures();
  // Two lists that are no requests, and three requests with a bearer token and no signature.
  CHECK(captures.skipped == std::set<std::string>{"INDEX.json", "response-type-coercion.json",
                                                  "rpcv1-newsdk-bearer-GetRepoBuildRecord.json",
                                                  "v3-bearer-GetRepoBuildRecord.json",
                                                  "v3-bearer-PageImageRegistry.json"});
  CHECK(captures.requests.size() == 55);
  for (const Captured& captured : captures.requests) {
    CAPTURE(captured.name);
    auto claim = captured.read();
    REQUIRE(claim.ok());
    CHECK(claim->strings_to_sign == std::vector<std::string>{captured.string_to_sign});
    CHECK(claim->access_key == "testAccessKeyId");
    CHECK(claim->date == "2026-11-22T02:22:43Z");
    CHECK(signature_time(*claim).value() / 60'000 == 29921902);
    CHECK(claim->nonce.size() >= 32);
    CHECK(claim->security_token == (captured.name.find("-sts-") != std::string::npos ? "testStsToken" : ""));
    CHECK(claim->body_signed);
    CHECK(captured.verify().ok());
    CHECK(check_signature(*claim, "testAccessKeySecreT").error().reason == Reason::signature_mismatch);
    CHECK(check_signature(*claim, "").error().reason == Reason::signature_mismatch);
    check_altered_copies(captured);
  }
}

TEST_CASE("every captured Huawei request verifies, and each altered copy does not") {
  Captures captures = huawei_captures();
  CHECK(captures.skipped == std::set<std::string>{"node_sdk_client_results.json"});  // replies only
  CHECK(captures.requests.size() == 46);
  for (const Captured& captured : captures.requests) {
    CAPTURE(captured.name);
    auto claim = captured.read();
    REQUIRE(claim.ok());
    const auto& texts = claim->strings_to_sign;
    CHECK(std::find(texts.begin(), texts.end(), captured.string_to_sign) != texts.end());
    CHECK(texts.size() == (captured.path.find('%') == std::string::npos ? 1u : texts.size()));
    CHECK(signature_time(*claim).ok());
    CHECK(claim->nonce.empty());
    CHECK(claim->security_token == (claim->access_key == "TMPAK0000000000" ? "STOKEN" : ""));
    CHECK(captured.verify().ok());
    CHECK_FALSE(check_signature(*claim, "sk-test-secreT").ok());
    check_altered_copies(captured);
  }
}
