#include <cstdio>
#include <memory>

#include "load/images.h"

namespace bench {
namespace {

std::optional<Reply> ask(Connection& connection, const Job& job, Tally& tally, std::string_view method,
                         const std::string& path, std::string_view headers = {}) {
  auto reply = connection.ask(method, path, nullptr, headers);
  if (reply && reply->status < 300) return reply;
  bool cut_short = !reply && job.stop;
  if (!cut_short) {
    tally.failed_with(std::string(method) + " " + path + ": " +
                      (reply ? std::to_string(reply->status) : "the connection broke"));
  }
  return std::nullopt;
}

}  // namespace

Work make_fetch(Job& job) {
  if (job.paths.empty()) {
    std::fputs("fetch needs --path or --paths\n", stderr);
    return {};
  }
  return [&job](Tally& tally) {
    Connection connection(job.target, job.stop);
    std::int64_t ranges = job.range > 0 ? job.of / job.range : 0;
    for (std::int64_t number; (number = take(job)) >= 0;) {
      const std::string& path = job.paths[static_cast<std::size_t>(number) % job.paths.size()];
      std::string range;
      if (ranges > 0) {
        std::int64_t from = number % ranges * job.range;
        range = "Range: bytes=" + std::to_string(from) + "-" + std::to_string(from + job.range - 1) + "\r\n";
      }
      auto since = SteadyClock::now();
      auto reply = ask(connection, job, tally, job.method, path, range);
      if (reply) tally.succeeded(since, job.method == "HEAD" ? 0 : reply->length);
    }
  };
}

// As zb pulls: HEAD and GET of the manifest, of the config, of the layer.
Work make_pull(Job& job) {
  auto images = std::make_shared<const std::vector<Image>>(make_images(job));
  return [&job, images](Tally& tally) {
    Connection connection(job.target, job.stop);
    std::string accept = "Accept: " + std::string(manifest_type) + "\r\n";
    for (std::int64_t number; (number = take(job)) >= 0;) {
      const Image& image = (*images)[static_cast<std::size_t>(number) % images->size()];
      std::string base = "/v2/" + image.repository;
      auto since = SteadyClock::now();
      bool good = true;
      for (std::string_view method : {"HEAD", "GET"})
        good = good && ask(connection, job, tally, method, base + "/manifests/" + image.tag, accept);
      for (const std::string& digest : {image.config.digest(), image.layer->digest()}) {
        for (std::string_view method : {"HEAD", "GET"})
          good = good && ask(connection, job, tally, method, base + "/blobs/" + digest);
      }
      if (good) tally.succeeded(since, image.bytes());
    }
  };
}

}  // namespace bench
