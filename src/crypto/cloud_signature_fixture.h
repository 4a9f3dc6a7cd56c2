// For tests: the requests of tests/captures, sent by the clouds' official clients, as values that a test may
// alter. WHARFAGE_SOURCE_DIR says where they lie; the secrets are the made-up ones they were sent with.
#pragma once

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "crypto/cloud_signature.h"

namespace wharfage::crypto {

// A request that may be altered, and what a capture says of it.
struct Captured {
  std::string name, method, path, query, body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool huawei = false;
  std::string string_to_sign;

  Result<SignatureClaim> read() const {
    SignedRequest request{method, path, query, headers, body};
    return huawei ? read_huawei_signature(request) : read_alibaba_signature(request);
  }
  // What the whole verification says with the secrets of tests/captures.
  Status verify() const {
    TRY(SignatureClaim claim, read());
    std::string secret = claim.access_key == "testAccessKeyId"    ? "testAccessKeySecret"
                         : claim.access_key == "AKTEST0000000000" ? "sk-test-secret"
                         : claim.access_key == "TMPAK0000000000"  ? "sk-test-tmp"
                                                                  : "";
    return check_signature(claim, secret);
  }
  std::string* header(std::string_view wanted) {
    for (auto& [key, value] : headers) {
      if (same_ignoring_case(key, wanted)) return &value;
    }
    return nullptr;
  }
};

inline std::string text_of(const boost::json::value& value) {
  return std::string(value.as_string());
}

inline void read_request_line(Captured& captured, const std::string& line) {
  auto first = line.find(' '), last = line.rfind(' ');
  captured.method = line.substr(0, first);
  std::string target = line.substr(first + 1, last - first - 1);
  auto mark = target.find('?');
  captured.path = target.substr(0, mark);
  captured.query = mark == target.npos ? "" : target.substr(mark + 1);
}

inline Captured alibaba_request(const boost::json::object& file) {
  Captured captured;
  captured.name = text_of(file.at("name"));
  const boost::json::object& request = file.at("request").as_object();
  read_request_line(captured, text_of(request.at("requestLine")));
  for (const auto& pair : request.at("headers").as_array()) {
    captured.headers.emplace_back(text_of(pair.as_array()[0]), text_of(pair.as_array()[1]));
  }
  captured.body = text_of(request.at("bodyDecoded"));
  const boost::json::object& check = file.at("signatureCheck").as_object();
  if (check.contains("stringToSign")) captured.string_to_sign = text_of(check.at("stringToSign"));
  return captured;
}

inline Captured huawei_request(const std::string& name, const boost::json::object& record) {
  Captured captured;
  captured.name = name + " #" + boost::json::serialize(record.at("n"));
  captured.huawei = true;
  read_request_line(captured, text_of(record.at("requestLine")));
  for (const auto& line : record.at("rawHeaders").as_array()) {
    std::string text = text_of(line);
    auto colon = text.find(':');
    captured.headers.emplace_back(text.substr(0, colon), text.substr(colon + 1));
  }
  captured.body = text_of(record.at("body"));
  captured.string_to_sign = text_of(record.at("signature").at("stringToSign"));
  return captured;
}

inline boost::json::value read_json(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

struct Captures {
  std::vector<Captured> requests;
  std::set<std::string> skipped;  // files and records that hold no signature
};

inline Captures alibaba_captures() {
  Captures captures;
  for (const auto& entry :
       std::filesystem::directory_iterator(WHARFAGE_SOURCE_DIR "/tests/captures/alibaba")) {
    boost::json::value file = read_json(entry.path());
    Captured captured = file.is_object() ? alibaba_request(file.as_object()) : Captured();
    if (captured.string_to_sign.empty()) {
      captures.skipped.insert(entry.path().filename().string());
    } else {
      captures.requests.push_back(std::move(captured));
    }
  }
  return captures;
}

inline Captures huawei_captures() {
  Captures captures;
  for (const auto& entry :
       std::filesystem::directory_iterator(WHARFAGE_SOURCE_DIR "/tests/captures/huawei")) {
    const std::string name = entry.path().filename().string();
    boost::json::value file = read_json(entry.path());
    std::vector<boost::json::value> records;
    if (file.is_object()) {
      for (const auto& member : file.as_object()) records.push_back(member.value());
    } else {
      records.assign(file.as_array().begin(), file.as_array().end());
    }
    for (const auto& record : records) {
      if (record.as_object().contains("requestLine")) {
        captures.requests.push_back(huawei_request(name, record.as_object()));
      } else {
        captures.skipped.insert(name);
      }
    }
  }
  return captures;
}

inline Captured named(const Captures& captures, std::string_view name) {
  for (const Captured& captured : captures.requests) {
    if (captured.name == name) return captured;
  }
  FAIL("no capture " << name);
  return {};
}

}  // namespace wharfage::crypto
