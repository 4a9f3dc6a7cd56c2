// Addresses of other registries and webhooks, as users give them.
#include "http/client.h"
#include "input.h"

using namespace wharfage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto url = http::parse_url(fuzz::text_of(data, size));
  if (!url.ok()) return 0;
  fuzz::demand(url->scheme == "http" || url->scheme == "https");
  fuzz::demand(!url->host.empty() &&
               url->host.find_first_of(std::string_view("@/?#\\ \r\n\0", 9)) == std::string::npos);
  fuzz::demand(url->path_and_query.find_first_of("\r\n ") == std::string::npos);
  auto again = http::parse_url(url->origin() + url->path_and_query);
  fuzz::demand(again.ok() && again->host == url->host && again->port == url->port);
  fuzz::demand(again->path_and_query == url->path_and_query);
  return 0;
}
