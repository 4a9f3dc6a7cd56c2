#include "facade/console/console.h"

#include <fmt/format.h>

namespace wharfage::console {
namespace {

constexpr std::size_t stray_body_max = 4096;

constexpr std::string_view page = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wharfage</title>
<style>
  body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}
  code {{ background: #8882; padding: .1rem .3rem; border-radius: .2rem }}
</style>
<h1>Wharfage {}</h1>
<p>The registry is running. This release has no console; everything can be done through the API:</p>
<ul>
  <li><a href="/api/v1/openapi.json">The native API as an OpenAPI document</a></li>
  <li><code>docker login</code>, <code>push</code> and <code>pull</code> against this address</li>
  <li>The Alibaba Cloud and Huawei Cloud SDKs with this address as their endpoint</li>
  <li><a href="/readyz?verbose">Health</a> and <a href="/metrics">metrics</a></li>
</ul>
<p lang="zh">镜像仓库正在运行。此版本没有控制台；所有功能都可以通过 <a href="/api/v1/openapi.json">API</a> 使用。</p>
</html>
)html";

}  // namespace

http::Plan Console::plan(const http::Request& head) const {
  bool here = head.path == "/" && (head.method == "GET" || head.method == "HEAD");
  return http::Buffered{
      stray_body_max, [here, version = x_version](http::Request&) {
        if (!here) return http::Response::json(404, R"({"error":"not_found","message":"not found"})");
        auto response = http::Response::text(200, fmt::format(page, version), "text/html; charset=utf-8");
        response.headers.set("Content-Security-Policy",
                             "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
        response.headers.set("X-Content-Type-Options", "nosniff");
        return response;
      }};
}

}  // namespace wharfage::console
