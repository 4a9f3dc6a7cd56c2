// One request and its response on one libcurl handle, without redirects. libcurl's types stay behind this
// header and transfer.cc. A transfer is used once, by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/address.h"
#include "http/client.h"

namespace wharfage::http {

// A libcurl handle with its connections; kept for the next request to the same origin.
struct HandleDeleter {
  void operator()(void* handle) const;
};
using Handle = std::unique_ptr<void, HandleDeleter>;
Handle new_handle();  // null when out of memory

class Transfer {
 public:
  // `headers` instead of the request's own, which a redirect may have thinned out.
  Transfer(const ClientRequest& request, const Headers& headers, const AddressRules& rules);

  // `timeout_ms` 0: none for the whole.
  Result<ClientResponse> run(void* handle, const Url& url, const std::string& user_agent,
                             std::int64_t timeout_ms);

  // Called by libcurl; none of them throws.
  std::size_t take_header(std::string_view line);
  std::size_t take_body(std::string_view chunk);
  std::size_t give_body(char* buffer, std::size_t size);
  bool goes_on();
  bool may_connect(const sockaddr& address);

 private:
  Status prepare(void* handle, const Url& url, const std::string& user_agent, std::int64_t timeout_ms);
  void prepare_method(void* handle);
  void prepare_trust(void* handle);
  Result<ClientResponse> conclude(int code, const Url& url);
  Status accept_body(std::string_view chunk);
  Result<std::size_t> next_body(char* buffer, std::size_t size);

  const ClientRequest& x_request;
  const Headers& x_headers;
  const AddressRules& x_rules;
  ClientResponse x_response;
  std::optional<Error> x_stopped;  // why one of our callbacks ended the transfer
  std::size_t x_header_bytes = 0;
  std::int64_t x_given = 0;  // of body_source
  std::int64_t x_asked_ms = 0;
  bool x_body_started = false;
  bool x_refused_address = false;
};

// True when a response sends a GET or HEAD elsewhere.
bool is_redirect(const ClientRequest& request, const ClientResponse& response);
// The absolute form of a Location field. Error: remote_failed.
Result<Url> redirect_target(const Url& from, std::string_view location);

}  // namespace wharfage::http
