#include "registry/upload_writer.h"

#include <fmt/format.h>

namespace wharfage::registry {

MeasuredWriter::MeasuredWriter(Registry::State& state, Repository repository, std::string id,
                               Registry::State::Room room, std::unique_ptr<blob::Writer> writer)
    : x_state(state),
      x_repository(std::move(repository)),
      x_id(std::move(id)),
      x_room(room),
      x_writer(std::move(writer)) {
  x_state.upload_bytes.open(x_id, {x_repository.namespace_id, x_repository.id}, x_writer->size(),
                            x_state.clock.now());
}

// What was finished or cancelled is not asked about: most are.
MeasuredWriter::~MeasuredWriter() {
  if (!x_state.upload_bytes.holds(x_id)) return;
  if (has_lost_file()) {
    x_state.upload_bytes.drop(x_id);
  } else {
    x_state.upload_bytes.close(x_id, x_writer->size(), x_state.clock.now());
  }
}

// The disk could not keep it, or another process removed it.
bool MeasuredWriter::has_lost_file() const {
  auto size = x_state.blobs.upload_size(x_id);
  return !size.ok() && size.error().reason == Reason::upload_unknown;
}

// An upload that cannot become a blob keeps no room.
Status MeasuredWriter::refuse(const Error& why) {
  (void)x_state.drop_upload(x_repository.id, x_id);
  return why;
}

Status MeasuredWriter::expect(std::int64_t bytes) {
  if (!x_room.left || bytes <= *x_room.left - size()) return {};
  return refuse(fail(Reason::quota_exceeded,
                     fmt::format("the namespace's quota of {} bytes has room for {} more, the blob has more",
                                 x_room.allowed, *x_room.left),
                     x_repository.namespace_name));
}

// Uploads that nobody writes to give way, those first that were left longest: their clients hear
// upload_unknown and may begin again. One whose file has another size is written to by another process.
UploadBytes::Verdict MeasuredWriter::grow(std::int64_t by) {
  UploadBytes& uploads = x_state.upload_bytes;
  auto verdict = uploads.grow(x_id, by, x_room.together);
  if (verdict != UploadBytes::Verdict::over) return verdict;
  for (const auto& abandoned : uploads.take_abandoned(x_id, by, *x_room.together, x_state.clock.now())) {
    auto size = x_state.blobs.upload_size(abandoned.id);
    if (size.ok() && *size == abandoned.bytes)
      (void)x_state.drop_upload(abandoned.repository_id, abandoned.id);
  }
  return uploads.grow(x_id, by, x_room.together);
}

Status MeasuredWriter::append(std::string_view bytes) {
  auto more = static_cast<std::int64_t>(bytes.size());
  TRY_STATUS(expect(more));
  switch (grow(more)) {
    case UploadBytes::Verdict::gone:
      return fail(Reason::upload_unknown, {}, x_id);
    case UploadBytes::Verdict::over:
      return refuse(
          fail(Reason::quota_exceeded,
               fmt::format("unfinished uploads of the namespace hold as much as its quota of {} bytes",
                           x_room.allowed),
               x_repository.namespace_name));
    case UploadBytes::Verdict::fine:
      break;
  }
  return x_writer->append(bytes);
}

Status MeasuredWriter::check_there() {
  if (!x_state.upload_bytes.holds(x_id)) return fail(Reason::upload_unknown, {}, x_id);
  TRY_STATUS(x_state.blobs.upload_size(x_id));  // another process may have removed the file
  return {};
}

}  // namespace wharfage::registry
