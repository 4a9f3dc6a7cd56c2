// A blocking HTTP client over libcurl for talking to other registries, webhooks and feeds. Every connection
// is checked after name resolution: private, loopback and link-local addresses are refused unless the
// address policy names them (SSRF). Redirects are followed by us, re-checked, and never carry credentials
// to another origin. Thread-safe; connections are kept and shared between calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace wharfage::http {

struct AddressPolicy {
  bool allow_private = false;  // loopback, RFC 1918, link-local, unique local, CGNAT, multicast
  // Exceptions while allow_private is false: CIDR ("10.1.0.0/16"), optionally with a port
  // ("127.0.0.1/32:5000").
  std::vector<std::string> allowed;
};

// Error: invalid_parameter for an exception that cannot be read (Client itself ignores such entries).
Status check_policy(const AddressPolicy& policy);

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  Headers headers;
  std::string body;
  // Streams the body instead: fills `buffer`, returns the count, 0 at the end. Needs body_length.
  std::function<Result<std::size_t>(char* buffer, std::size_t size)> body_source;
  std::int64_t body_length = -1;
  // Receives the body of a 2xx response instead of ClientResponse::body; an error stops the transfer.
  std::function<Status(std::string_view chunk)> body_sink;
  std::size_t response_max = 16 * 1024 * 1024;  // of a buffered body: too_large above
  bool follow_redirects = true;                 // GET and HEAD only
  bool verify_tls = true;
  std::string ca_pem;  // trusted in addition to the system's; may be empty
  // Shown to a server that asks for one: a PEM chain and its key. Both or none.
  std::string client_certificate_pem = {}, client_key_pem = {};
  std::int64_t total_timeout_ms = 0;  // 0: only connect and idle timeouts apply
  std::function<bool()> canceled;     // asked about once a second; may be empty
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
  std::string url;  // after redirects
};

class Client {
 public:
  explicit Client(AddressPolicy policy, std::string user_agent);
  ~Client();
  // Errors: address_forbidden, remote_unreachable, timeout, too_large, canceled, invalid_parameter (URL,
  // method, header field, CA), remote_failed (redirects that lead nowhere), size_invalid (body_source), or
  // what body_source and body_sink returned. Any HTTP status is a success.
  Result<ClientResponse> send(const ClientRequest& request);

 private:
  struct State;
  std::unique_ptr<State> x_state;
};

// The parts of an http(s) URL. Error: invalid_parameter (other schemes, user info, control characters).
struct Url {
  std::string scheme, host, path_and_query;
  std::uint16_t port = 0;
  std::string origin() const;  // scheme://host[:port], the port only when it is not the scheme's own
};
Result<Url> parse_url(std::string_view text);

}  // namespace wharfage::http
