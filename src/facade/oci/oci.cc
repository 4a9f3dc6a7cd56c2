#include "facade/oci/oci.h"

#include "base/limits.h"
#include "base/memory_only.h"
#include "facade/oci/error.h"
#include "facade/oci/exchange.h"

namespace wharfage::oci {
namespace {

constexpr std::size_t token_form_max = 64 * 1024;
constexpr std::size_t stray_body_max = 64 * 1024;  // of requests that have no use for a body

bool streams(const http::Request& head, const Route& route) {
  bool upload = route.kind == Route::Kind::upload || route.kind == Route::Kind::uploads;
  return upload && (head.method == "POST" || head.method == "PATCH" || head.method == "PUT");
}

// Pulls of what is known are answered on the event loop: waking a worker costs more than the answer.
bool may_be_in_memory(const http::Request& head, const Route& route) {
  if (route.kind == Route::Kind::manifest) return head.method == "GET" || head.method == "HEAD";
  return route.kind == Route::Kind::blob && head.method == "GET";
}

std::size_t body_max(const http::Request& head, const Route& route) {
  bool manifest = route.kind == Route::Kind::manifest && head.method == "PUT";
  return manifest ? limits::manifest_bytes_max : stray_body_max;
}

}  // namespace

Oci::Oci(registry::Registry& registry, auth::Auth& auth, const auth::RegistryTokens& tokens, op::Audit& audit,
         const Clock& clock, Options options, Log log)
    : x_registry(registry),
      x_auth(auth),
      x_tokens(tokens),
      x_audit(audit),
      x_clock(clock),
      x_options(std::move(options)),
      x_log(std::move(log)) {}

bool Oci::owns(std::string_view path) {
  return path.substr(0, 5) == "/v2/_" || is_route(path);
}

http::Plan Oci::plan(const http::Request& head) {
  if (head.path == token_path) {
    return http::Buffered{token_form_max, [this](http::Request& request) {
                            return answer_token(x_registry, x_auth, x_tokens, x_options, request);
                          }};
  }
  auto route = parse_route(head.path);
  if (!route) {
    return http::Buffered{stray_body_max, [](http::Request&) {
                            return error_response(fail(Reason::not_found, "there is no such endpoint"));
                          }};
  }
  if (streams(head, *route)) {
    return http::Streamed{[this, route = *route](http::Request& request) {
      return Exchange(*this, request, route).open_body();
    }};
  }
  if (may_be_in_memory(head, *route)) {
    MemoryOnly memory;
    Exchange exchange(*this, head, *std::move(route));
    http::Response response = exchange.answer();
    if (!memory.missed()) return http::Answered{std::move(response)};
    route = exchange.route();
  }
  return http::Buffered{body_max(head, *route), [this, route = *route](http::Request& request) {
                          return Exchange(*this, request, route).answer();
                        }};
}

}  // namespace wharfage::oci
