#include "http/address.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <cstring>
#include <string>

using namespace wharfage;
using namespace wharfage::http;

namespace {

bool allows(const AddressPolicy& policy, const std::string& address, std::uint16_t port = 443) {
  AddressRules rules(policy);
  sockaddr_storage storage{};
  auto& four = reinterpret_cast<sockaddr_in&>(storage);
  auto& six = reinterpret_cast<sockaddr_in6&>(storage);
  if (inet_pton(AF_INET, address.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
  } else {
    REQUIRE(inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
  }
  return rules.allows(reinterpret_cast<const sockaddr&>(storage));
}

}  // namespace

TEST_CASE("addresses inside are refused in every disguise") {
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "100.64.0.1",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.0.9",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "198.18.0.1",
                              "224.0.0.1",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.1.2.3",
                              "::127.0.0.1",
                              "::ffff:0:10.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b::a9fe:a9fe",
                              "64:ff9b:1::1",
                              "2002:7f00:1::",
                              "2002:a9fe:a9fe::1",
                              "2001::1",
                              "fe80::1",
                              "febf::1",
                              "fec0::1",
                              "fc00::1",
                              "fdff::1",
                              "ff02::1"}) {
    CAPTURE(address);
    CHECK_FALSE(allows({}, address));
    CHECK(allows({.allow_private = true}, address));
  }
}

TEST_CASE("public addresses are allowed") {
  for (const char* address : {"1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
                              "192.167.1.1", "223.255.255.255", "2606:4700::1111", "64:ff9b::101:101",
                              "2002:101:101::1", "::ffff:1.1.1.1", "2a00::1"}) {
    CAPTURE(address);
    CHECK(allows({}, address));
  }
}

TEST_CASE("exceptions name a range and perhaps a port") {
  AddressPolicy policy{.allowed = {"10.1.0.0/16", "127.0.0.1/32:5000", "fd00::/8", "::1/128:80"}};
  REQUIRE(check_policy(policy).ok());
  CHECK(allows(policy, "10.1.255.1", 1));
  CHECK(allows(policy, "::ffff:10.1.255.1", 1));
  CHECK_FALSE(allows(policy, "10.2.0.1"));
  CHECK(allows(policy, "127.0.0.1", 5000));
  CHECK_FALSE(allows(policy, "127.0.0.1", 5001));
  CHECK_FALSE(allows(policy, "127.0.0.2", 5000));
  CHECK(allows(policy, "fd12::1"));
  CHECK(allows(policy, "::1", 80));
  CHECK_FALSE(allows(policy, "::1", 81));
}

TEST_CASE("exceptions that cannot be read are named and allow nothing") {
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8:",
                           "10.0.0.0/8:0", "10.0.0.0/8:65536", "host/8", "::/129", "10.0.0/8", "/0"}) {
    CAPTURE(text);
    AddressPolicy policy{.allowed = {text}};
    CHECK_FALSE(check_policy(policy).ok());
    CHECK_FALSE(allows(policy, "10.0.0.1"));
  }
}
