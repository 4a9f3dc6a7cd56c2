#include "crypto/cloud_signature.h"

#include <doctest/doctest.h>

#include "base/limits.h"
#include "crypto/cloud_signature_fixture.h"
#include "crypto/digest.h"

using namespace wharfage;
using namespace wharfage::crypto;

TEST_CASE("a request without a signature is unauthenticated, not malformed") {
  for (bool huawei : {false, true}) {
    Captured request{"", "GET", "/", "a=b", "", {{"host", "h"}}, huawei, ""};
    CHECK(request.verify().error().reason == Reason::unauthenticated);
  }
}

TEST_CASE("other algorithms are unsupported") {
  for (std::string_view text :
       {"ACS3-HMAC-SM3 Credential=a,SignedHeaders=host,Signature=00", "ACS3-RSA-SHA256 x", "Basic YTpi",
        "acs a:b", "SDK-HMAC-SM3 x", "SDK-ECDSA-P256-SHA256 x", "V11-HMAC-SHA256 Credential=a", ""}) {
    CAPTURE(text);
    for (bool huawei : {false, true}) {
      Captured request{"", "GET", "/", "", "", {{"Authorization", std::string(text)}}, huawei, ""};
      CHECK(request.verify().error().reason == Reason::signature_unsupported);
    }
  }
  Captured request = named(alibaba_captures(), "pop-GET-GetRepoBuildRecord");
  auto with = [&](std::string_view from, std::string_view to) {
    Captured copy = request;
    auto at = copy.query.find(from);
    REQUIRE(at != std::string::npos);
    copy.query.replace(at, from.size(), to);
    return copy.verify().error().reason;
  };
  CHECK(with("SignatureMethod=HMAC-SHA1", "SignatureMethod=HMAC-SHA256") == Reason::signature_unsupported);
  CHECK(with("SignatureVersion=1.0", "SignatureVersion=2.0") == Reason::signature_unsupported);
  CHECK(with("SignatureVersion=1.0", "SignatureVersion=1.0&SignatureType=BEARERTOKEN") ==
        Reason::signature_unsupported);
}

TEST_CASE("an Authorization header that cannot be read names what is wrong") {
  Captured request = named(alibaba_captures(), "v3-GetRepoBuildRecord");
  auto detail = [&](const std::string& text) {
    *request.header("authorization") = text;
    auto error = request.verify().error();
    CHECK(error.reason == Reason::signature_malformed);
    return error.detail;
  };
  const std::string names =
      "host;x-acs-action;x-acs-version;x-acs-date;x-acs-signature-nonce;x-acs-content-sha256";
  const std::string sum(64, '0');
  CHECK(detail("ACS3-HMAC-SHA256") == "Authorization");
  CHECK(detail("ACS3-HMAC-SHA256 ") == "Authorization");
  CHECK(detail("ACS3-HMAC-SHA256 SignedHeaders=host,Signature=" + sum) == "Credential");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host") == "Signature");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=" + sum.substr(1)) == "Signature");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=" + upper("a" + sum.substr(1))) ==
        "Signature");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=,Signature=" + sum) == "SignedHeaders");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host;;x,Signature=" + sum) == "SignedHeaders");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host;Host,Signature=" + sum) == "SignedHeaders");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders=host,Signature=" + sum) ==
        "Authorization");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=" + sum) == "x-acs-action");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=" + names + ",Signature=" + sum) ==
        "x-acs-credentials-provider");
  CHECK(detail("ACS3-HMAC-SHA256 Credential=a,SignedHeaders=" + names +
               ";x-acs-credentials-provider;x-no,Signature=" + sum) == "x-no");
}

TEST_CASE("nobody can slip an unsigned token or a second parameter into a signed Alibaba request") {
  Captured request = named(alibaba_captures(), "v3-GetRepoBuildRecord");
  for (std::string_view name : {"x-acs-security-token", "X-Acs-Bearer-Token", "x-acs-anything"}) {
    Captured copy = request;
    copy.headers.emplace_back(name, "x");
    CHECK(copy.verify().error().reason == Reason::signature_malformed);
  }
  Captured twice = request;
  twice.headers.push_back({"Authorization", *request.header("authorization")});
  CHECK(twice.verify().error().detail == "authorization");
  Captured repeated = request;
  repeated.query += "&InstanceId=cri-other";
  CHECK(repeated.verify().error().detail == "InstanceId");
  Captured form = named(alibaba_captures(), "pop-POST-GetRepoBuildRecord");
  form.query = "InstanceId=cri-other";
  CHECK(form.verify().error().detail == "InstanceId");
  Captured harmless = request;
  harmless.headers.emplace_back("X-Forwarded-For", "10.0.0.1");
  CHECK(harmless.verify().ok());
}

TEST_CASE("V1 signs empty values and parameters it does not know") {
  // The Go SDK always sends an empty SignatureType and a RegionId; it writes blanks as '+'.
  std::string query =
      "AccessKeyId=testAccessKeyId&Action=ListNamespace&Detail=a+b&Format=JSON&RegionId=cn-hangzhou"
      "&SignatureMethod=HMAC-SHA1&SignatureNonce=n&SignatureType=&SignatureVersion=1.0"
      "&Timestamp=2026-11-22T02%3A22%3A43Z&Version=2018-12-01";
  std::string sign_text =
      "GET&%2F&AccessKeyId%3DtestAccessKeyId%26Action%3DListNamespace%26Detail%3Da%2520b%26Format%3DJSON%"
      "26RegionId%3D"
      "cn-hangzhou%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3Dn%26SignatureType%3D%26SignatureVersion%"
      "3D1.0"
      "%26Timestamp%3D2026-11-22T02%253A22%253A43Z%26Version%3D2018-12-01";
  std::string signature = base64(hmac_sha1("testAccessKeySecret&", sign_text));
  Captured request{"", "GET", "/", query + "&Signature=" + percent_encode(signature), "", {}, false, ""};
  CHECK(request.verify().ok());
  request.query.replace(request.query.find("SignatureType=&"), 15, "");
  CHECK(request.verify().error().reason == Reason::signature_mismatch);
}

TEST_CASE("Huawei's payload may be left unsigned, or be announced truthfully") {
  const std::string date = "20261122T022124Z";
  auto signed_with = [&](const std::string& payload, const std::string& body) {
    std::string canonical = "PUT\n/v2/x/\na=1&a=2&b=\nx-sdk-date:" + date + "\n\nx-sdk-date\n" + payload;
    std::string text = "SDK-HMAC-SHA256\n" + date + "\n" + hex(sha256(canonical));
    return Captured{
        "",
        "PUT",
        "/v2/x",
        "b&a=2&a=1",
        body,
        {{"X-Sdk-Date", date},
         {"X-Sdk-Content-Sha256", payload},
         {"Authorization", "SDK-HMAC-SHA256 Access=AKTEST0000000000, SignedHeaders=x-sdk-date, Signature=" +
                               hex(hmac_sha256("sk-test-secret", text))}},
        true,
        ""};
  };
  Captured unsigned_body = signed_with("UNSIGNED-PAYLOAD", "any body");
  CHECK(unsigned_body.verify().ok());
  CHECK_FALSE(unsigned_body.read()->body_signed);
  Captured announced = signed_with(hex(sha256("the body")), "the body");
  CHECK(announced.verify().ok());
  CHECK(announced.read()->body_signed);
  announced.body = "another";
  CHECK(announced.verify().error().detail == "X-Sdk-Content-Sha256");
  *announced.header("x-sdk-content-sha256") = "UNSIGNED-PAYLOAD";  // cannot be claimed afterwards
  CHECK(announced.verify().error().reason == Reason::signature_mismatch);
}

TEST_CASE("the three ways to a canonical path are tried, and only where they differ") {
  auto count = [](std::string path) {
    Captured request{"", "GET", path, "", "", {}, true, ""};
    request.headers = {{"X-Sdk-Date", "20261122T022124Z"},
                       {"Authorization", "SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature=" +
                                             std::string(64, '0')}};
    return request.read()->strings_to_sign.size();
  };
  CHECK(count("/v2/x") == 1);
  CHECK(count("/v2/a$b/") == 1);
  CHECK(count("/v2/%7Bproject_id%7D/x") == 2);  // decoded whole or by segment is the same here
  CHECK(count("/v2/a%2Fb") == 3);
}

TEST_CASE("a date must have the form of its scheme") {
  SignatureClaim claim{SignatureScheme::huawei};
  claim.date = "20261122T022243Z";
  CHECK(signature_time(claim).value() == 1795314163000);
  for (auto scheme : {SignatureScheme::huawei, SignatureScheme::alibaba_v1, SignatureScheme::alibaba_v3}) {
    claim.scheme = scheme;
    for (std::string_view bad :
         {"", "2026-11-22", "2026-11-22 02:22:43Z", "2026-11-22T02:22:43+00:00", "2026-11-22T02:22:43.1Z",
          "Sun, 22 Nov 2026 02:22:43 GMT", "2026-13-22T02:22:43Z"}) {
      CAPTURE(bad);
      claim.date = bad;
      CHECK(signature_time(claim).error().reason == Reason::signature_malformed);
    }
    claim.date = "2026-11-22T02:22:43Z";
    CHECK(signature_time(claim).ok() == (scheme != SignatureScheme::huawei));
  }
}

TEST_CASE("a flood of parameters or of signed headers is refused before it is read") {
  std::string flood;
  for (std::size_t i = 0; i <= limits::signed_params_max; ++i) flood += "a&";
  Captured request{"", "POST", "/", "", flood, {}, false, ""};
  CHECK(request.verify().error().reason == Reason::too_large);
  std::string names = "h";
  for (std::size_t i = 0; i < limits::signed_headers_max; ++i) names += ";h" + std::to_string(i);
  request.huawei = true;
  request.headers = {{"Authorization", "SDK-HMAC-SHA256 Access=a, SignedHeaders=" + names +
                                           ", Signature=" + std::string(64, '0')}};
  CHECK(request.verify().error().detail == "SignedHeaders");
}

TEST_CASE("a signed digest that is not the body's proves nothing about the body") {
  Captured request = named(alibaba_captures(), "v3-PageImageRegistry");
  request.body += "&PageSize=1";
  auto error = request.verify().error();
  CHECK(error.reason == Reason::signature_mismatch);
  CHECK(error.detail == "x-acs-content-sha256");
}

TEST_CASE("an empty secret verifies nothing, not even what was signed with it") {
  Captured request = named(alibaba_captures(), "v3-GetRepoBuildRecord");
  SignatureClaim claim = request.read().value();
  claim.signature = hex(hmac_sha256("", claim.strings_to_sign.front()));
  CHECK(check_signature(claim, "").error().reason == Reason::signature_mismatch);
  claim.signature = hex(hmac_sha256("s", claim.strings_to_sign.front()));
  CHECK(check_signature(claim, "s").ok());
}
