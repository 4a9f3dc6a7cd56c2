#include <fmt/format.h>

#include "base/limits.h"
#include "facade/oci/error.h"
#include "facade/oci/exchange.h"
#include "facade/oci/range.h"

namespace wharfage::oci {
namespace {

std::string range_header(std::int64_t size) {
  return fmt::format("0-{}", std::max<std::int64_t>(size - 1, 0));
}

http::Response accepted(int status, const std::string& location, const std::string& id, std::int64_t size) {
  http::Response response;
  response.status = status;
  response.headers.add("Location", location);
  response.headers.add("Range", range_header(size));
  response.headers.add("Docker-Upload-UUID", id);
  response.headers.add("Docker-Distribution-Api-Version", "registry/2.0");
  return response;
}

// Where an upload goes on.
void tell_place(http::Response& response, const Exchange& exchange, const std::string& id,
                std::int64_t size) {
  response.headers.set("Location", exchange.upload_location(id));
  response.headers.set("Range", range_header(size));
}

Error wrong_length() {
  return fail(Reason::size_invalid, "the body does not have the length of its Content-Range");
}

Result<DigestAlgorithm> algorithm_of(const Params& query) {
  auto digest = find_param(query, "digest");
  std::string name = find_param(query, "digest-algorithm").value_or("sha256");
  if (digest) name = digest->substr(0, digest->find(':'));
  if (name == "sha256") return DigestAlgorithm::sha256;
  if (name == "sha512") return DigestAlgorithm::sha512;
  return fail(Reason::digest_invalid, "only sha256 and sha512 are supported", name);
}

// What Content-Range tells, if it is there: the chunk must begin where the upload ends and be as long as it
// says. That is known before a byte of it is kept, unless the body's length is not told.
Result<std::optional<std::int64_t>> chunk_length(const http::Request& request,
                                                 std::optional<std::int64_t> body,
                                                 const registry::UploadWriter& writer) {
  std::string_view header = request.headers.get("Content-Range");
  if (header.empty()) return std::optional<std::int64_t>();
  TRY(auto range, parse_content_range(header));
  if (range.first != writer.size())
    return fail(Reason::range_invalid, "the chunk does not start where the upload ends");
  if (body.value_or(range.length) != range.length) return wrong_length();
  return std::optional(range.length);
}

// Takes a chunk, or the last one with the digest that closes the upload.
class UploadSink final : public http::BodySink {
 public:
  UploadSink(Exchange exchange, registry::Repository repository, std::string id,
             std::unique_ptr<registry::UploadWriter> writer, std::optional<Digest> digest,
             std::optional<std::int64_t> expected)
      : x_exchange(std::move(exchange)),
        x_repository(std::move(repository)),
        x_id(std::move(id)),
        x_writer(std::move(writer)),
        x_digest(std::move(digest)),
        x_expected(expected) {}

  Status write(std::string_view chunk) override {
    if (x_writer->size() + static_cast<std::int64_t>(chunk.size()) > limits::blob_bytes_max) {
      return fail(Reason::too_large, "the blob is larger than this registry accepts");
    }
    x_received += static_cast<std::int64_t>(chunk.size());
    if (x_expected && x_received > *x_expected) return wrong_length();
    return x_writer->append(chunk);
  }

  http::Response finish() override {
    if (x_expected && *x_expected != x_received) return refuse(wrong_length());
    if (!x_digest) {
      Status there = x_writer->check_there();
      if (!there.ok()) return refuse(there.error());
      return accepted(202, x_exchange.upload_location(x_id), x_id, x_writer->size());
    }
    Status done = x_exchange.registry().finish_upload(x_repository, x_id, *x_writer, *x_digest);
    if (!done.ok()) return refuse(done.error());
    http::Response response;
    response.status = 201;
    response.headers.add("Location", x_exchange.blob_location(*x_digest));
    response.headers.add("Docker-Content-Digest", x_digest->text());
    response.headers.add("Docker-Distribution-Api-Version", "registry/2.0");
    return response;
  }

  // What came of a body whose length was not told is kept, so the client hears how much that is.
  http::Response refuse(const Error& error) override {
    http::Response response = x_exchange.refuse(error);
    if (error.reason == Reason::size_invalid) tell_place(response, x_exchange, x_id, x_writer->size());
    return response;
  }

 private:
  Exchange x_exchange;
  registry::Repository x_repository;
  std::string x_id;
  std::unique_ptr<registry::UploadWriter> x_writer;
  std::optional<Digest> x_digest;
  std::optional<std::int64_t> x_expected;
  std::int64_t x_received = 0;
};

}  // namespace

std::string Exchange::blob_location(const Digest& digest) const {
  return fmt::format("/v2/{}/blobs/{}", x_route.name, digest.text());
}

// The algorithm rides in the location, so that later requests hash with what the digest will name.
std::string Exchange::upload_location(const std::string& id) const {
  std::string location = fmt::format("/v2/{}/blobs/uploads/{}", x_route.name, id);
  if (find_param(x_query, "digest-algorithm") == "sha512") location += "?digest-algorithm=sha512";
  return location;
}

// A blob of a repository the caller may pull from becomes one of this repository without being sent again.
Result<std::optional<http::Response>> Exchange::try_mount(const registry::Repository& to) {
  std::optional<http::Response> none;
  auto text = find_param(x_query, "mount");
  auto from = find_param(x_query, "from");
  if (!text) return none;
  TRY(Digest digest, Digest::parse(*text));
  bool mounted = false;
  if (from) {
    auto source = repository_named(*from, auth::Access::read, false);
    if (!source.ok()) return none;
    TRY(mounted, registry().mount_blob(to, *source, digest));
  } else {
    TRY(mounted, mount_from_anywhere(to, digest));
  }
  if (!mounted) return none;
  http::Response response;
  response.status = 201;
  response.headers.add("Location", blob_location(digest));
  response.headers.add("Docker-Content-Digest", digest.text());
  return std::optional(std::move(response));
}

// Without a source any repository will do that the caller may pull from. A bearer token narrows that to the
// repositories it names and to public ones, whatever its owner may.
Result<bool> Exchange::mount_from_anywhere(const registry::Repository& to, const Digest& digest) {
  if (registry().blob_size(to, digest).ok()) return true;
  std::optional<std::vector<std::int64_t>> readable = std::vector<std::int64_t>();
  if (!x_claims) {
    TRY(readable, x_oci.x_auth.readable_namespaces(x_who));
  } else {
    for (const auto& scope : x_claims->access) {
      auto source = scope.type == "repository" ? repository_named(scope.name, auth::Access::read, false)
                                               : Result<registry::Repository>(fail(Reason::denied));
      bool there = source.ok() && registry().blob_size(*source, digest).ok();
      if (there) return registry().mount_blob(to, *source, digest);
    }
  }
  return registry().mount_blob(to, readable, digest);
}

// Before the first byte of a body whose length is known. With a digest its writer judges: what the namespace
// has already costs nothing.
Status Exchange::admit(const registry::Repository& repository) {
  if (find_param(x_query, "digest")) return {};
  return registry().admit(repository, std::max<std::int64_t>(body_length().value_or(0), 1));
}

std::optional<std::int64_t> Exchange::body_length() const {
  return parse_integer(x_request.headers.get("Content-Length"));
}

Opened Exchange::begin_upload() {
  auto repository = this->repository(auth::Access::write, true);
  if (!repository.ok()) return refuse(repository.error());
  auto mounted = try_mount(*repository);
  if (!mounted.ok()) return refuse(mounted.error());
  if (*mounted) return **std::move(mounted);
  auto algorithm = algorithm_of(x_query);
  if (!algorithm.ok()) return refuse(algorithm.error());
  auto text = find_param(x_query, "digest");
  auto digest = Digest::parse(text.value_or(""));
  if (text && !digest.ok()) return refuse(digest.error());
  if (Status room = admit(*repository); !room.ok()) return refuse(room.error());
  auto id = registry().begin_upload(*repository, x_who);
  if (!id.ok()) return refuse(id.error());
  if (!text) return accepted(202, upload_location(*id), *id, 0);

  auto writer = registry().open_upload(*repository, *id, x_who, *algorithm, *digest);
  if (!writer.ok()) return refuse(writer.error());
  Status room = (*writer)->expect(body_length().value_or(0));
  if (!room.ok()) return refuse(room.error());
  return std::make_unique<UploadSink>(*this, *repository, *id, *std::move(writer), *digest, std::nullopt);
}

Opened Exchange::continue_upload(bool closing) {
  auto repository = this->repository(auth::Access::write);
  if (!repository.ok()) return refuse(repository.error());
  std::optional<Digest> digest;
  if (closing) {
    auto parsed = Digest::parse(find_param(x_query, "digest").value_or(""));
    if (!parsed.ok()) return refuse(parsed.error());
    digest = *parsed;
  }
  auto algorithm = algorithm_of(x_query);
  if (!algorithm.ok()) return refuse(algorithm.error());
  auto writer = registry().open_upload(*repository, x_route.reference, x_who, *algorithm, digest);
  if (!writer.ok()) return refuse(writer.error());

  auto expected = chunk_length(x_request, body_length(), **writer);
  if (!expected.ok()) {
    http::Response response = refuse(expected.error());
    tell_place(response, *this, x_route.reference, (*writer)->size());
    return response;
  }
  Status room = (*writer)->expect(body_length().value_or(0));
  if (!room.ok()) return refuse(room.error());
  if (!closing) {
    Status kept = registry().keep_upload(*repository, x_route.reference, x_who);
    if (!kept.ok()) return refuse(kept.error());
  }
  return std::make_unique<UploadSink>(*this, *repository, x_route.reference, *std::move(writer), digest,
                                      *expected);
}

http::Response Exchange::upload_status() {
  auto repository = this->repository(auth::Access::write);
  if (!repository.ok()) return refuse(repository.error());
  auto size = registry().upload_size(*repository, x_route.reference, x_who);
  if (!size.ok()) return refuse(size.error());
  return accepted(204, upload_location(x_route.reference), x_route.reference, *size);
}

http::Response Exchange::cancel_upload() {
  auto repository = this->repository(auth::Access::write);
  if (!repository.ok()) return refuse(repository.error());
  if (Status done = registry().cancel_upload(*repository, x_route.reference, x_who); !done.ok()) {
    return refuse(done.error());
  }
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace wharfage::oci
