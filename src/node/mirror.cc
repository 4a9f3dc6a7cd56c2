// Fetches advisory archives from an OSV bucket or a mirror with its layout: <mirror>/<ecosystem>/all.zip.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "http/client.h"
#include "node/advisories.h"
#include "node/node.h"

namespace wharfage::node {
namespace {

constexpr std::int64_t archive_bytes_max = std::int64_t{2} << 30;

Status fetch(http::Client& client, const std::string& url, const std::string& file) {
  int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (out < 0) return fail(Reason::storage_failed, "cannot write " + file);
  std::int64_t written = 0;
  http::ClientRequest request;
  request.url = url;
  request.body_sink = [&](std::string_view chunk) -> Status {
    written += static_cast<std::int64_t>(chunk.size());
    if (written > archive_bytes_max) return fail(Reason::too_large, "the archive is too large", url);
    if (::write(out, chunk.data(), chunk.size()) != static_cast<ssize_t>(chunk.size())) {
      return fail(Reason::disk_full, "cannot write " + file);
    }
    return {};
  };
  auto response = client.send(request);
  ::close(out);
  if (!response.ok()) return response.error();
  if (response->status != 200) {
    return fail(Reason::remote_failed, "the mirror answered " + std::to_string(response->status), url);
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> fetch_advisories(const Config& config) {
  http::Client client({.allow_private = config.allow_private, .allowed = config.allowed_addresses},
                      "wharfage/" + std::string(version));
  std::filesystem::path folder = std::filesystem::path(advisory_file(config)).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::vector<std::string> files;
  for (const char* ecosystem : {"Debian", "Alpine"}) {
    std::string file = (folder / (std::string(ecosystem) + ".zip")).string();
    TRY_STATUS(fetch(client, config.vulndb_mirror + "/" + ecosystem + "/all.zip", file));
    files.push_back(file);
  }
  return files;
}

}  // namespace wharfage::node
