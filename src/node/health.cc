#include "node/health.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"

namespace wharfage::node {
namespace {

constexpr std::size_t stray_body_max = 4096;

}  // namespace

http::Response Health::ready(const http::Request& request) const {
  bool verbose = find_param(parse_query(request.query), "verbose").has_value();
  bool good = true;
  std::string list;
  for (const Check& check : x_checks) {
    Status status = check.ask();
    good = good && (status.ok() || !check.vital);
    list += fmt::format(R"({}{}:{{"status":"{}"{}}})", list.empty() ? "" : ",", json_string(check.name),
                        status.ok()   ? "ok"
                        : check.vital ? "failed"
                                      : "warning",
                        status.ok() ? "" : ",\"reason\":" + json_string(status.error().message));
  }
  std::string body = fmt::format(R"({{"status":"{}")", good ? "ready" : "not ready");
  if (verbose) body += ",\"checks\":{" + list + "}";
  return http::Response::json(good ? 200 : 503, body + "}");
}

http::Plan Health::plan(const http::Request&) const {
  return http::Buffered{stray_body_max, [this](http::Request& request) {
                          if (request.path == "/metrics") {
                            return http::Response::text(200, x_metrics(),
                                                        "text/plain; version=0.0.4; charset=utf-8");
                          }
                          if (request.path == "/readyz") return ready(request);
                          return http::Response::text(200, "ok\n");
                        }};
}

}  // namespace wharfage::node
