#include <fmt/format.h>

#include "facade/oci/error.h"
#include "facade/oci/exchange.h"
#include "facade/oci/range.h"

namespace wharfage::oci {
namespace {

http::Response blob_response(const Digest& digest) {
  http::Response response;
  response.headers.add("Content-Type", "application/octet-stream");
  response.headers.add("Docker-Content-Digest", digest.text());
  response.headers.add("ETag", "\"" + digest.text() + "\"");
  response.headers.add("Accept-Ranges", "bytes");
  response.headers.add("Cache-Control", "private, max-age=31536000, immutable");
  return response;
}

}  // namespace

http::Response Exchange::get_blob() {
  auto repository = this->repository(auth::Access::read);
  if (!repository.ok()) return refuse(repository.error());
  auto digest = Digest::parse(x_route.reference);
  if (!digest.ok()) return refuse(digest.error());
  return x_request.method == "HEAD" ? tell_blob(*repository, *digest) : send_blob(*repository, *digest);
}

// Asking for a blob announces that it will be needed: blob_size() knows.
http::Response Exchange::tell_blob(const registry::Repository& repository, const Digest& digest) {
  auto size = registry().blob_size(repository, digest);
  if (!size.ok()) return refuse(size.error());
  http::Response response = blob_response(digest);
  response.announced_length = *size;
  return response;
}

http::Response Exchange::send_blob(const registry::Repository& repository, const Digest& digest) {
  auto blob = registry().open_blob(repository, digest);
  if (!blob.ok()) return refuse(blob.error());
  auto range = parse_range(x_request.headers.get("Range"), blob->size);
  if (!range.ok()) {
    http::Response response = refuse(range.error());
    response.headers.set("Content-Range", fmt::format("bytes */{}", blob->size));
    return response;
  }
  http::Response response = blob_response(digest);
  ByteRange send = range->value_or(ByteRange{0, blob->size});
  if (*range) {
    response.status = 206;
    response.headers.add("Content-Range",
                         fmt::format("bytes {}-{}/{}", send.first, send.first + send.length - 1, blob->size));
  }
  if (blob->bytes) {
    response.body =
        blob->bytes->substr(static_cast<std::size_t>(send.first), static_cast<std::size_t>(send.length));
  } else {
    response.body = http::FileRange{blob->descriptor, send.first, send.length};
  }
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
