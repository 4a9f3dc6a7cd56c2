#include "crypto/keys.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "base/failpoint.h"
#include "base/text.h"

using namespace wharfage;
using namespace wharfage::crypto;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "wharfage-keys-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string at(std::string_view name) const { return (path / name).string(); }
  void write(std::string_view name, std::string_view text) const {
    std::ofstream(at(name), std::ios::binary) << text;
  }
  std::string read(std::string_view name) const {
    std::ifstream file(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The openssl command line, run in this folder; true when it exits with 0.
  bool openssl(const std::string& arguments) const {
    return std::system(("cd '" + path.string() + "' && openssl " + arguments + " >/dev/null 2>&1 </dev/null")
                           .c_str()) == 0;
  }
};

bool matches(std::string_view password, std::string_view phc) {
  auto outcome = verify_password(password, phc);
  return outcome.ok() && *outcome;
}

}  // namespace

TEST_CASE("what we sign, the openssl command line verifies") {
  Folder folder;
  auto key = EcdsaKey::generate().value();
  folder.write("public.pem", key.public_pem());
  folder.write("message", "a message");
  folder.write("signature", key.sign("a message").value());
  CHECK(folder.openssl("dgst -sha256 -verify public.pem -signature signature message"));
  folder.write("message", "another message");
  CHECK_FALSE(folder.openssl("dgst -sha256 -verify public.pem -signature signature message"));
}

TEST_CASE("what the openssl command line signs, we verify") {
  Folder folder;
  REQUIRE(folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out private.pem"));
  REQUIRE(folder.openssl("pkey -in private.pem -pubout -out public.pem"));
  folder.write("message", "a message");
  REQUIRE(folder.openssl("dgst -sha256 -sign private.pem -out signature message"));
  auto verified = [&](std::string_view message) {
    return ecdsa_verify(folder.read("public.pem"), message, folder.read("signature")).value();
  };
  CHECK(verified("a message"));
  CHECK_FALSE(verified("another message"));
  auto key = EcdsaKey::from_pem(folder.read("private.pem")).value();
  CHECK(key.public_pem() == folder.read("public.pem"));
  CHECK(key.private_pem() == folder.read("private.pem"));
}

TEST_CASE("a signature verifies in both encodings, and in neither when anything differs") {
  auto key = EcdsaKey::generate().value();
  std::string pem = key.public_pem(), other = EcdsaKey::generate().value().public_pem();
  for (int round = 0; round < 50; ++round) {  // r and s begin with a zero byte now and then
    std::string message = "message " + std::to_string(round);
    std::string der = key.sign(message).value(), raw = key.sign_raw(message).value();
    REQUIRE(raw.size() == 64);
    CHECK(ecdsa_verify(pem, message, der).value());
    CHECK(ecdsa_verify_raw(pem, message, raw).value());
    CHECK_FALSE(ecdsa_verify(pem, message + "x", der).value());
    CHECK_FALSE(ecdsa_verify_raw(pem, message + "x", raw).value());
    CHECK_FALSE(ecdsa_verify(other, message, der).value());
    CHECK_FALSE(ecdsa_verify_raw(other, message, raw).value());
    raw[static_cast<std::size_t>(round)] ^= 1;
    CHECK_FALSE(ecdsa_verify_raw(pem, message, raw).value());
    CHECK_FALSE(ecdsa_verify(pem, message, der + "x").value());
    CHECK_FALSE(ecdsa_verify(pem, message, der.substr(1)).value());
  }
  CHECK_FALSE(ecdsa_verify(pem, "", "").value());
  CHECK_FALSE(ecdsa_verify_raw(pem, "", std::string(64, '\0')).value());
  CHECK_FALSE(ecdsa_verify_raw(pem, "", std::string(64, '\xff')).value());
  CHECK_FALSE(ecdsa_verify_raw(pem, "", std::string(63, '1')).value());
}

TEST_CASE("only unencrypted P-256 keys are taken") {
  Folder folder;
  auto refused = [](const Error& error) { return error.reason == Reason::invalid_parameter; };
  REQUIRE(folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem"));
  REQUIRE(folder.openssl("pkey -in p384.pem -pubout -out p384.pub"));
  REQUIRE(folder.openssl("genpkey -algorithm ED25519 -out ed.pem"));
  REQUIRE(folder.openssl("pkey -in ed.pem -pubout -out ed.pub"));
  folder.write("good.pem", EcdsaKey::generate().value().private_pem());
  REQUIRE(folder.openssl("pkey -in good.pem -aes256 -passout pass:secret -out locked.pem"));
  for (std::string name : {"p384.pem", "ed.pem", "locked.pem", "p384.pub", "missing"}) {
    CAPTURE(name);
    auto key = EcdsaKey::from_pem(folder.read(name));
    REQUIRE_FALSE(key.ok());
    CHECK(refused(key.error()));
  }
  for (std::string name : {"p384.pub", "ed.pub", "good.pem", "missing"}) {
    CAPTURE(name);
    auto verified = ecdsa_verify(folder.read(name), "m", "s");
    REQUIRE_FALSE(verified.ok());
    CHECK(refused(verified.error()));
  }
  CHECK(EcdsaKey::from_pem(folder.read("good.pem")).ok());
}

TEST_CASE("a public key is read however its PEM is written, and only when it is a point of the curve") {
  Folder folder;
  auto key = EcdsaKey::generate().value();
  const std::string pem = key.public_pem(), signature = key.sign("m").value();
  folder.write("public.pem", pem);
  REQUIRE(folder.openssl("ec -pubin -in public.pem -conv_form compressed -out compressed.pem"));
  std::string crlf;
  for (char c : pem) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  for (const std::string& form :
       {pem, "\n" + pem, "a comment\n" + pem, crlf, folder.read("compressed.pem")}) {
    CAPTURE(form);
    CHECK(ecdsa_verify(form, "m", signature).value());
    CHECK_FALSE(ecdsa_verify(form, "n", signature).value());
  }
  for (std::size_t at = 60; at < 100; ++at) {  // within the point: off the curve
    std::string altered = pem;
    if (altered[at] == '\n') continue;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    CHECK(ecdsa_verify(altered, "m", signature).error().reason == Reason::invalid_parameter);
  }
}

TEST_CASE("a sealed secret opens for its purpose and under its key only") {
  Vault vault = Vault::ephemeral();
  for (std::string secret :
       {std::string(), std::string("s3cret"), std::string("\0\xff", 2), std::string(10'000, 'x')}) {
    std::string sealed = vault.seal(secret, "connection:17:password");
    CHECK(sealed.starts_with("v1."));
    CHECK(sealed != vault.seal(secret, "connection:17:password"));
    CHECK(vault.unseal(sealed, "connection:17:password").value() == secret);
    CHECK_FALSE(vault.unseal(sealed, "connection:18:password").ok());
    CHECK_FALSE(vault.unseal(sealed, "").ok());
    CHECK_FALSE(Vault::ephemeral().unseal(sealed, "connection:17:password").ok());
  }
}

TEST_CASE("a sealed secret altered anywhere does not open") {
  Vault vault = Vault::ephemeral();
  const std::string sealed = vault.seal("s3cret", "p");
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    for (char other : {'A', 'B', '_', '=', '\0'}) {
      std::string altered = sealed;
      if (altered[at] == other) continue;
      altered[at] = other;
      CAPTURE(altered);
      CHECK_FALSE(vault.unseal(altered, "p").ok());
    }
    CHECK_FALSE(vault.unseal(sealed.substr(0, at), "p").ok());
  }
  CHECK_FALSE(vault.unseal(sealed + "A", "p").ok());
  CHECK_FALSE(vault.unseal(sealed + "=", "p").ok());
}

TEST_CASE("the master key is created once, for its owner alone, and found again") {
  Folder folder;
  const std::string file = folder.at("master.key");
  std::string sealed = Vault::open(file).value().seal("s3cret", "p");
  CHECK(std::filesystem::status(file).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(folder.read("master.key").size() == 65);
  CHECK(Vault::open(file).value().unseal(sealed, "p").value() == "s3cret");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);  // no draft is left
}

TEST_CASE("openers that race agree on one master key") {
  Folder folder;
  std::vector<std::string> sealed(8);
  std::vector<std::thread> openers;
  for (auto& text : sealed) {
    openers.emplace_back([&] { text = Vault::open(folder.at("master.key")).value().seal("s3cret", "p"); });
  }
  for (auto& opener : openers) opener.join();
  Vault vault = Vault::open(folder.at("master.key")).value();
  for (const auto& text : sealed) CHECK(vault.unseal(text, "p").value() == "s3cret");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a master key that is not one is refused, and left as it is") {
  Folder folder;
  const std::string digits(64, 'a');
  for (std::string text : {std::string(), digits.substr(1), digits + "a", digits + "\n\n", digits + "\nmore",
                           digits.substr(1) + "g", std::string(32, '\x01'), std::string(100'000, 'a')}) {
    folder.write("master.key", text);
    auto vault = Vault::open(folder.at("master.key"));
    REQUIRE_FALSE(vault.ok());
    CHECK(vault.error().reason == Reason::storage_failed);
    CHECK(folder.read("master.key") == text);
  }
  folder.write("master.key", digits);
  CHECK(Vault::open(folder.at("master.key")).ok());
  using std::filesystem::perms;
  std::filesystem::permissions(folder.at("master.key"), perms::owner_all | perms::others_write);
  CHECK_FALSE(Vault::open(folder.at("master.key")).ok());
  CHECK_FALSE(Vault::open(folder.at("no/such/folder")).ok());
  CHECK_FALSE(Vault::open(folder.path.string()).ok());
}

TEST_CASE("a password matches its hash and nothing else does") {
  std::string phc = *hash_password("correct horse");
  CHECK(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  CHECK(phc != *hash_password("correct horse"));
  CHECK(matches("correct horse", phc));
  CHECK_FALSE(matches("correct hors", phc));
  CHECK_FALSE(matches("", phc));
  CHECK(matches("", *hash_password("")));
}

TEST_CASE("hashes made elsewhere are understood") {
  // Vectors of the reference implementation (P-H-C/phc-winner-argon2, src/test.c).
  for (std::string_view phc :
       {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"}) {
    CHECK(matches("password", phc));
    CHECK_FALSE(matches("Password", phc));
  }
}

TEST_CASE("a text that is no hash, or a hash of absurd cost, matches no password") {
  std::string phc = *hash_password("p");
  std::string tail = phc.substr(phc.find("$m=") + sizeof("$m=19456,t=2,p=1") - 1);
  for (std::string bad :
       {std::string(), std::string("p"), std::string("$$$$$"), phc + "$", phc.substr(1),
        phc.substr(0, phc.size() - 4), "$argon2i$v=19$m=19456,t=2,p=1" + tail,
        "$argon2id$v=16$m=19456,t=2,p=1" + tail, "$argon2id$v=19$m=4194304,t=2,p=1" + tail,
        "$argon2id$v=19$m=19456,t=4000000000,p=1" + tail, "$argon2id$v=19$m=19456,t=2,p=1000" + tail,
        "$argon2id$v=19$m=-1,t=2,p=1" + tail, "$argon2id$v=19$m=1,t=2,p=1" + tail,
        "$argon2id$v=19$m=19456,t=2" + tail, std::string("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$")}) {
    CAPTURE(bad);
    CHECK_FALSE(matches("p", bad));
    CHECK_FALSE(matches("", bad));
  }
}

TEST_CASE("a password that could not be hashed is not called wrong") {
  std::string phc = *hash_password("correct horse");
  {
    failpoint::Armed no_memory("crypto.password_memory");
    auto outcome = verify_password("correct horse", phc);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().reason == Reason::throttled);
  }
  CHECK(matches("correct horse", phc));
}

TEST_CASE("no password matches the hash of none") {
  std::string phc = hash_of_no_password();
  CHECK(phc.size() == hash_password("p")->size());
  CHECK(phc != hash_of_no_password());
  CHECK_FALSE(matches("", phc));
}
