// What travels over HTTP, as plain values: no library type leaves this room.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace wharfage::http {

// Header fields in wire order; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { x_fields.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);  // replaces every field of that name
  void remove(std::string_view name);
  // The first field's value, or empty.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  // All values of that name joined with ", ": how repeated Accept lines are to be read (RFC 9110 5.3).
  std::string all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return x_fields; }

 private:
  std::vector<std::pair<std::string, std::string>> x_fields;
};

// A part of an open file, which whoever made the pointer closes with its last copy.
struct FileRange {
  std::shared_ptr<const int> descriptor;
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

// Who a client proved to be by a certificate that the configured authority vouches for.
struct ClientCertificate {
  std::string subject;             // all of it, RFC 2253: "CN=robot-7,O=Example"
  std::string common_name;         // the most specific one, or empty
  std::vector<std::string> names;  // DNS names, e-mail addresses and URIs of the alternative name
};

struct Request {
  std::string method;  // upper case as sent
  std::string target;  // raw request target: path and query, never normalised
  std::string path;    // raw path, still percent-encoded
  std::string query;   // raw query without '?'
  Headers headers;
  std::string body;  // empty for streamed bodies
  std::string id;    // request id: X-Request-Id of the client when sane, else random
  std::string peer;  // address of the other side without port
  bool tls = false;
  std::string_view protocol = "HTTP/1.1";                // or "HTTP/1.0", "HTTP/2"
  std::shared_ptr<const ClientCertificate> certificate;  // null: none was shown
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length, Date, Connection and X-Request-Id are added by the server
  // File ranges go out by sendfile. For HEAD the body is not sent but its length is announced.
  std::variant<std::string, FileRange> body;
  // For answers to HEAD and for 304: the length to announce when the body is left empty.
  std::optional<std::int64_t> announced_length;
  bool close = false;  // end the connection after this response

  static Response text(int status, std::string body, std::string type = "text/plain; charset=utf-8");
  static Response json(int status, std::string body);
};

}  // namespace wharfage::http
