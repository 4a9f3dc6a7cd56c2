#include <boost/json.hpp>

#include "base/limits.h"
#include "sync/layout.h"
#include "sync/manifest.h"
#include "wire/json.h"

namespace wharfage::sync {
namespace {

namespace json = boost::json;

Error hostile(const std::string& what) {
  return fail(Reason::manifest_invalid, "this is no image layout: " + what);
}

std::string text_of(const json::object& object, std::string_view name) {
  auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string blob_name(const Digest& digest) {
  const std::string& text = digest.text();
  auto colon = text.find(':');
  return "blobs/" + text.substr(0, colon) + "/" + text.substr(colon + 1);
}

Result<json::object> read_json(LayoutFiles& files, const std::string& name) {
  TRY(auto file, files.open(name));
  if (file.size > static_cast<std::int64_t>(layout_index_bytes_max)) return fail(Reason::too_large, name);
  TRY(std::string bytes, file.read(0, static_cast<std::size_t>(file.size)));
  auto value = wire::parse_json(bytes, wire::Doubled::last_counts, layout_values_max);
  if (!value.ok() || !value->is_object()) return hostile(name + " cannot be read");
  return std::move(value->get_object());
}

Result<LayoutEntry> entry_of(const json::value& item) {
  if (!item.is_object()) return hostile("index.json lists something else than manifests");
  const json::object& object = item.get_object();
  TRY(Digest digest, Digest::parse(text_of(object, "digest")));
  auto* size = object.if_contains("size");
  if (!size || !size->is_int64() || size->get_int64() < 0) return hostile("a manifest has no size");
  LayoutEntry entry{
      .digest = digest.text(), .media_type = text_of(object, "mediaType"), .size = size->get_int64()};
  entry.artifact_type = text_of(object, "artifactType");
  if (auto* notes = object.if_contains("annotations"); notes && notes->is_object()) {
    entry.tag = text_of(notes->get_object(), reference_annotation);
    entry.repository = text_of(notes->get_object(), repository_annotation);
  }
  return entry;
}

}  // namespace

Result<std::unique_ptr<LayoutReader>> LayoutReader::open(const std::string& path) {
  TRY(auto files, open_layout_files(path));
  auto marker = read_json(*files, "oci-layout");
  if (!marker.ok()) return hostile("it has no oci-layout");
  if (text_of(*marker, "imageLayoutVersion").rfind("1.", 0) != 0) return hostile("its version is unknown");
  std::unique_ptr<LayoutReader> reader(new LayoutReader(std::move(files)));
  TRY_STATUS(reader->read_index());
  return reader;
}

Status LayoutReader::read_index() {
  auto index = read_json(*x_files, "index.json");
  if (!index.ok() && index.error().reason == Reason::not_found) return hostile("it has no index.json");
  if (!index.ok()) return index.error();
  auto* list = index->if_contains("manifests");
  if (!list || !list->is_array()) return hostile("index.json lists no manifests");
  if (list->get_array().size() > layout_entries_max) return fail(Reason::too_large, "too many images");
  for (const auto& item : list->get_array()) {
    TRY(auto entry, entry_of(item));
    x_media_types[entry.digest] = entry.media_type;
    auto [size, fresh] = x_sizes.emplace(entry.digest, entry.size);
    if (!fresh && size->second != entry.size) return hostile("a manifest has two sizes");
    TRY(auto document, find(entry.digest));
    if (!document) return hostile("the manifest " + entry.digest + " is missing");
    entry.subject = document->subject;
    x_entries.push_back(std::move(entry));
  }
  return {};
}

Result<std::optional<Document>> LayoutReader::find(const std::string& reference) {
  TRY(auto named, find_digest(reference));
  if (!named) return std::optional<Document>();
  TRY(Digest digest, Digest::parse(*named));
  auto document = read_manifest_of(digest);
  if (!document.ok() && document.error().reason == Reason::not_found) return std::optional<Document>();
  if (!document.ok()) return document.error();
  return std::optional(*std::move(document));
}

// What a manifest says of others is kept: what they are, and how large.
Result<Document> LayoutReader::read_manifest_of(const Digest& digest) {
  TRY(auto file, x_files->open(blob_name(digest)));
  if (file.size > static_cast<std::int64_t>(limits::manifest_bytes_max))
    return fail(Reason::too_large, "a manifest is too large", digest.text());
  if (auto size = x_sizes.find(digest.text()); size != x_sizes.end() && size->second != file.size)
    return fail(Reason::size_invalid, {}, digest.text());
  Document document{.digest = digest.text()};
  TRY(document.bytes, file.read(0, static_cast<std::size_t>(file.size)));
  if (Digest::of(document.bytes, digest.algorithm()) != digest)
    return fail(Reason::digest_invalid, {}, digest.text());
  document.media_type = x_media_types[digest.text()];
  if (document.media_type.empty()) {
    auto value = wire::parse_json(document.bytes);
    if (value.ok() && value->is_object()) document.media_type = text_of(value->get_object(), "mediaType");
  }
  TRY(auto contents, read_manifest(document.media_type, document.bytes));
  document.subject = contents.subject;
  for (const auto& child : contents.children) x_media_types.emplace(child.digest.text(), child.media_type);
  for (const auto* list : {&contents.children, &contents.blobs}) {
    for (const auto& part : *list) {
      auto [size, fresh] = x_sizes.emplace(part.digest.text(), part.size);
      if (!fresh && size->second != part.size) return fail(Reason::size_invalid, {}, part.digest.text());
    }
  }
  return document;
}

Result<std::optional<std::string>> LayoutReader::find_digest(const std::string& reference) {
  if (Digest::parse(reference).ok()) return std::optional(reference);
  for (const auto& entry : x_entries) {
    if (entry.tag == reference && entry.repository == x_repository) return std::optional(entry.digest);
  }
  return std::optional<std::string>();
}

Result<std::vector<std::string>> LayoutReader::referrers(const Digest& digest) {
  std::vector<std::string> found;
  for (const auto& entry : x_entries) {
    if (entry.subject == digest.text()) found.push_back(entry.digest);
  }
  return found;
}

Result<blob::Blob> LayoutReader::open_blob(const Digest& digest) {
  auto file = x_files->open(blob_name(digest));
  if (!file.ok() && file.error().reason == Reason::not_found)
    return fail(Reason::blob_unknown, {}, digest.text());
  if (!file.ok()) return file.error();
  if (auto size = x_sizes.find(digest.text()); size != x_sizes.end() && size->second != file->size)
    return fail(Reason::size_invalid, {}, digest.text());
  return file;
}

Status LayoutReader::read_blob(const Digest& digest, std::function<Status(std::string_view)> sink) {
  TRY(auto file, open_blob(digest));
  for (std::int64_t offset = 0; offset < file.size;) {
    TRY(std::string piece, file.read(offset, limits::blob_copy_chunk));
    if (piece.empty()) return fail(Reason::size_invalid, {}, digest.text());
    TRY_STATUS(sink(piece));
    offset += static_cast<std::int64_t>(piece.size());
  }
  return {};
}

Result<bool> LayoutReader::has_blob(const Digest&) {
  return fail(Reason::unsupported);
}
Result<bool> LayoutReader::mount_blob(const Digest&, Place&) {
  return fail(Reason::unsupported);
}
Status LayoutReader::write_blob(const Digest&, std::int64_t, Place&, const Moved&) {
  return fail(Reason::unsupported);
}
Status LayoutReader::put(const std::string&, const Document&) {
  return fail(Reason::unsupported);
}

}  // namespace wharfage::sync
