#include <fmt/format.h>
#include <unistd.h>

#include "facade/oci/error.h"
#include "facade/oci/exchange.h"
#include "facade/oci/range.h"

namespace wharfage::oci {

http::Response Exchange::get_blob() {
  auto repository = this->repository(auth::Access::read);
  if (!repository.ok()) return refuse(repository.error());
  auto digest = Digest::parse(x_route.reference);
  if (!digest.ok()) return refuse(digest.error());
  auto blob = registry().open_blob(*repository, *digest);
  if (!blob.ok()) return refuse(blob.error());

  http::Response response;
  auto range = x_request.method == "GET" ? parse_range(x_request.headers.get("Range"), blob->size)
                                         : Result<std::optional<ByteRange>>(std::nullopt);
  if (!range.ok()) {
    response = refuse(range.error());
    response.headers.set("Content-Range", fmt::format("bytes */{}", blob->size));
    return response;
  }
  response.headers.add("Content-Type", "application/octet-stream");
  response.headers.add("Docker-Content-Digest", digest->text());
  response.headers.add("ETag", "\"" + digest->text() + "\"");
  response.headers.add("Accept-Ranges", "bytes");
  response.headers.add("Cache-Control", "private, max-age=31536000, immutable");
  ByteRange send = range->value_or(ByteRange{0, blob->size});
  if (*range) {
    response.status = 206;
    response.headers.add("Content-Range",
                         fmt::format("bytes {}-{}/{}", send.first, send.first + send.length - 1, blob->size));
  }
  if (x_request.method == "HEAD") {
    response.announced_length = blob->size;
    return response;
  }
  int descriptor = ::dup(*blob->descriptor);
  if (descriptor < 0) return refuse(fail(Reason::storage_failed, "too many open files"));
  response.body = http::FileRange{std::make_shared<http::File>(descriptor), send.first, send.length};
  return response;
}

http::Response Exchange::delete_blob() {
  auto repository = this->repository(auth::Access::remove);
  if (!repository.ok()) return refuse(repository.error());
  auto digest = Digest::parse(x_route.reference);
  if (!digest.ok()) return refuse(digest.error());
  Status removed = registry().delete_blob(*repository, *digest);
  audit("oci:DeleteBlob", repository->full_name() + "@" + digest->text(),
        removed.ok() ? nullptr : &removed.error());
  if (!removed.ok()) return refuse(removed.error());
  http::Response response;
  response.status = 202;
  return response;
}

}  // namespace wharfage::oci
