#include <memory>

#include "load/images.h"

namespace bench {
namespace {

// One thread's pushes. Each step says what it wanted and what came instead.
class Pusher {
 public:
  Pusher(const Job& job, Tally& tally) : x_job(job), x_tally(tally), x_connection(job.target, job.stop) {}

  bool push(const Image& image) {
    if (!put_blob(image, *image.layer)) return false;
    if (x_job.bare) return true;
    if (!put_blob(image, image.config)) return false;
    std::string type = "Content-Type: " + std::string(manifest_type) + "\r\n";
    return ask("PUT", "/v2/" + image.repository + "/manifests/" + image.tag, 201, &image.manifest, type)
        .has_value();
  }

 private:
  std::optional<Reply> ask(std::string_view method, const std::string& path, int wanted,
                           const Content* body = nullptr, std::string_view headers = {}) {
    auto reply = x_connection.ask(method, path, body, headers);
    if (reply && reply->status == wanted) return reply;
    bool cut_short = !reply && x_job.stop;
    if (!cut_short) {
      x_tally.failed_with(std::string(method) + " " + path + ": " +
                          (reply ? std::to_string(reply->status) : "the connection broke"));
    }
    return std::nullopt;
  }

  bool put_blob(const Image& image, const Content& blob) {
    constexpr std::string_view octets = "Content-Type: application/octet-stream\r\n";
    auto begun = ask("POST", "/v2/" + image.repository + "/blobs/uploads/", 202);
    if (begun && x_job.streamed) begun = ask("PATCH", begun->location, 202, &blob, octets);
    if (!begun) return false;
    bool query = begun->location.find('?') != std::string::npos;
    std::string place = begun->location + (query ? "&" : "?") + "digest=" + blob.digest();
    return ask("PUT", place, 201, x_job.streamed ? nullptr : &blob, octets).has_value();
  }

  const Job& x_job;
  Tally& x_tally;
  Connection x_connection;
};

}  // namespace

Work make_push(Job& job) {
  auto images = std::make_shared<const std::vector<Image>>(make_images(job));
  return [&job, images](Tally& tally) {
    Pusher pusher(job, tally);
    for (std::int64_t number; (number = take(job)) >= 0;) {
      const Image& image = (*images)[static_cast<std::size_t>(number) % images->size()];
      auto since = SteadyClock::now();
      if (pusher.push(image)) tally.succeeded(since, job.bare ? image.layer->size() : image.bytes());
    }
  };
}

}  // namespace bench
