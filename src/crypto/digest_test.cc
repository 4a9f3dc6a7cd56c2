#include "crypto/digest.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace wharfage;

TEST_CASE("SHA-256 and SHA-512 give NIST's example values") {
  // FIPS 180-4 examples (NIST CSRC, "SHA256.pdf", "SHA512.pdf"), and the empty message.
  CHECK(Digest::of("abc").text() ==
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(Digest::of("").text() == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Digest::of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex() ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(Digest::of("abc", DigestAlgorithm::sha512).text() ==
        "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  CHECK(hex(crypto::sha256("abc")) == Digest::of("abc").hex());
}

TEST_CASE("a stream has the digest of its whole, whatever the pieces") {
  std::string million(1'000'000, 'a');
  for (std::size_t step : {1000u, 4097u, 1'000'000u}) {
    Hasher hasher;
    for (std::size_t at = 0; at < million.size(); at += step) {
      hasher.update(std::string_view(million).substr(at, step));
    }
    CHECK(hasher.finish().hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

TEST_CASE("finish tells the digest so far and lets more follow") {
  Hasher hasher(DigestAlgorithm::sha512);
  hasher.update("a");
  CHECK(hasher.finish() == Digest::of("a", DigestAlgorithm::sha512));
  hasher.update("bc");
  Hasher moved = std::move(hasher);
  CHECK(moved.algorithm() == DigestAlgorithm::sha512);
  CHECK(moved.finish() == Digest::of("abc", DigestAlgorithm::sha512));
  CHECK(moved.finish() == Digest::of("abc", DigestAlgorithm::sha512));
}

TEST_CASE("only the two registered forms of a digest are read") {
  std::string digits = std::string(64, 'a');
  CHECK(Digest::parse("sha256:" + digits).value().hex() == digits);
  CHECK(Digest::parse("sha512:" + digits + digits).value().algorithm() == DigestAlgorithm::sha512);
  for (std::string bad :
       {std::string(), std::string("sha256"), std::string("sha256:"), "sha256:" + digits + "a",
        "sha256:" + digits.substr(1), "sha512:" + digits, "SHA256:" + digits, "md5:" + digits,
        "sha256:" + upper(digits), "sha256:" + digits.substr(1) + "g", "sha256 " + digits,
        "sha256:" + digits.substr(2) + "/."}) {
    CAPTURE(bad);
    auto parsed = Digest::parse(bad);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().reason == Reason::digest_invalid);
  }
}

TEST_CASE("HMAC-SHA-256 gives the values of RFC 4231") {
  auto mac = [](const std::string& key, const std::string& data) {
    return hex(crypto::hmac_sha256(key, data));
  };
  CHECK(mac(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(mac("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(mac(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK(mac(unhex("0102030405060708090a0b0c0d0e0f10111213141516171819").value(), std::string(50, '\xcd')) ==
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(mac(std::string(20, '\x0c'), "Test With Truncation").substr(0, 32) ==
        "a3b6167473100ee06e0c796c2955552b");
  CHECK(mac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(mac(std::string(131, '\xaa'),
            "This is a test using a larger than block-size key and a larger than block-size data. "
            "The key needs to be hashed before being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("HMAC-SHA-1 gives the values of RFC 2202") {
  auto mac = [](const std::string& key, const std::string& data) {
    return hex(crypto::hmac_sha1(key, data));
  };
  CHECK(mac(std::string(20, '\x0b'), "Hi There") == "b617318655057264e28bc0b6fb378c8ef146be00");
  CHECK(mac("Jefe", "what do ya want for nothing?") == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(mac(std::string(20, '\xaa'), std::string(50, '\xdd')) == "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
  CHECK(mac(unhex("0102030405060708090a0b0c0d0e0f10111213141516171819").value(), std::string(50, '\xcd')) ==
        "4c9007f4026250c6bc8414f9bf50c86c2d7235da");
  CHECK(mac(std::string(20, '\x0c'), "Test With Truncation") == "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04");
  CHECK(mac(std::string(80, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "aa4ae5e15272d00e95705637ce8a3b55ed402112");
  CHECK(mac(std::string(80, '\xaa'),
            "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data") ==
        "e8e99d0f45237d786d6bbaa7965c7808bbff1a91");
}

TEST_CASE("an empty key is a key, not the one used before") {
  crypto::hmac_sha256("other", "x");
  CHECK(hex(crypto::hmac_sha256({}, {})) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}
