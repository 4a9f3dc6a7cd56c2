// The jobs of the scan service: reading an image, and judging all images anew after an import.
#include "base/failpoint.h"
#include "base/limits.h"
#include "scan/compress.h"
#include "scan/contents_json.h"
#include "scan/image_source.h"
#include "scan/records.h"
#include "scan/scanning.h"

namespace wharfage::scan {
namespace {

// As the queue decides it (job/queue.h).
bool will_be_tried_again(const Error& error, const job::Run& run) {
  ErrorKind kind = error.kind();
  bool passing =
      kind == ErrorKind::unavailable || kind == ErrorKind::internal || error.reason == Reason::throttled;
  return passing && !run.last_attempt();
}

Status keep_going(job::Run& run) {
  return run.canceled() ? fail(run.why()) : Status{};
}

struct AnalysedLayer {
  Layer layer;
  LayerAnalysis analysis;
};

// Reads layers, or what was found in them before.
class LayerAnalyser {
 public:
  LayerAnalyser(registry::Registry& registry, const registry::Repository& repository, job::Run& run)
      : x_registry(registry), x_repository(repository), x_run(run) {}

  Result<AnalysedLayer> analyse(const std::string& digest) {
    TRY(auto stored, find(digest));
    if (stored) return *std::move(stored);
    TRY(Digest parsed, Digest::parse(digest));
    auto blob = x_registry.open_blob(x_repository, parsed);
    if (!blob.ok() && blob.error().reason == Reason::blob_unknown) {
      return fail(Reason::scan_impossible, "a layer is not stored here", digest);
    }
    if (!blob.ok()) return blob.error();
    if (FAIL_POINT("scan.layer")) return fail(Reason::storage_failed);
    x_run.log("scan", "reading layer " + digest);
    BlobSource source(*std::move(blob), [this] { return keep_going(x_run); });
    TRY(LayerFiles files, read_layer(source));
    TRY(LayerAnalysis analysis, analyse_layer(std::move(files)));
    std::string packed = compress(write_analysis(analysis));
    TRY_STATUS(x_registry.db().write([&](meta::Tx& tx) {
      return records::put_layer(tx, digest, analysis.diff_id, analyser_version, packed,
                                x_registry.clock().now());
    }));
    return AnalysedLayer{{digest, analysis.diff_id}, std::move(analysis)};
  }

 private:
  Result<std::optional<AnalysedLayer>> find(const std::string& digest) {
    std::string diff_id;
    TRY(auto packed, x_registry.db().read([&](meta::Tx& tx) -> Result<std::optional<std::string>> {
      TRY(auto known, records::find_diff_id(tx, digest));
      if (!known) return std::optional<std::string>();
      diff_id = *known;
      return records::find_analysis(tx, diff_id, analyser_version);
    }));
    if (!packed) return std::optional<AnalysedLayer>();
    TRY(std::string json, decompress(*packed, limits::image_contents_bytes_max));
    TRY(LayerAnalysis analysis, read_analysis(json));
    return std::optional<AnalysedLayer>({{digest, diff_id}, std::move(analysis)});
  }

  registry::Registry& x_registry;
  const registry::Repository& x_repository;
  job::Run& x_run;
};

// The image's contents: stored ones of this analyser, else from its layers.
Status find_contents(registry::Registry& registry, const registry::Repository& repository,
                     const ImageManifest& image, job::Run& run, JudgedImage& result, bool& stored) {
  std::string packed;
  TRY_STATUS(registry.db().read([&](meta::Tx& tx) -> Status {
    TRY(auto known, records::find_image(tx, image.digest));
    stored = known && known->analyser == analyser_version;
    if (!stored) return {};
    result.summary = known->summary;
    packed = std::move(known->contents);
    TRY(result.layers, records::layers_of(tx, image.digest));
    return {};
  }));
  if (stored) {
    TRY(std::string json, decompress(packed, limits::image_contents_bytes_max));
    TRY(result.contents, read_contents(json));
    return {};
  }
  LayerAnalyser analyser(registry, repository, run);
  std::vector<LayerAnalysis> analyses;
  for (const std::string& digest : image.layers) {
    TRY(AnalysedLayer analysed, analyser.analyse(digest));
    result.layers.push_back(std::move(analysed.layer));
    analyses.push_back(std::move(analysed.analysis));
    run.progress(static_cast<int>(analyses.size() * 90 / image.layers.size()));
  }
  TRY(result.contents, merge_layers(analyses));
  const OperatingSystem& system = result.contents.system;
  result.summary = {.image = image.digest,
                    .system = system.pretty_name.empty() ? system.id : system.pretty_name,
                    .packages = static_cast<std::int64_t>(result.contents.packages.size()),
                    .analysed_at = registry.clock().now()};
  return {};
}

}  // namespace

Status Scanning::run_scan(job::Run& run) {
  TRY(auto task,
      x_registry.db().read([&](meta::Tx& tx) { return records::find_task_of_job(tx, run.job().id); }));
  if (!task) return {};  // deleted with its image
  if (task->status == TaskStatus::complete || task->status == TaskStatus::failed) return {};
  TimeMs now = x_registry.clock().now();
  if (task->status == TaskStatus::retrying) {
    TRY_STATUS(run.commit([&](meta::Tx& tx) {
      return records::set_task_status(tx, task->id, TaskStatus::scanning, "", "", now);
    }));
  }
  Status status = scan(run, *task);
  if (!status.ok() && !run.canceled() && will_be_tried_again(status.error(), run)) {
    const Error& error = status.error();
    // When even this cannot be written, the queue's own verdict on `status` still holds.
    Status noted = run.commit([&](meta::Tx& tx) {
      return records::set_task_status(tx, task->id, TaskStatus::retrying, reason_name(error.reason),
                                      error.message, x_registry.clock().now());
    });
    if (!noted.ok())
      run.logger().warning("a scan task's state was not written", {{"error", noted.error().message}});
  }
  return status;
}

Status Scanning::scan(job::Run& run, const Task& task) {
  TRY(auto repository, x_registry.get_repository(task.repository_id));
  TRY(ImageManifest image, resolve_image(x_registry, repository, task.digest));
  JudgedImage judged;
  bool stored = false;
  TRY_STATUS(find_contents(x_registry, repository, image, run, judged, stored));
  TimeMs now = x_registry.clock().now();
  if (!stored) {
    records::Image row{judged.summary, analyser_version, compress(write_contents(judged.contents))};
    TRY_STATUS(run.commit([&](meta::Tx& tx) -> Status {
      TRY_STATUS(records::put_image(tx, row, judged.layers));
      return records::set_task_image(tx, task.id, image.digest, now);
    }));
  } else if (task.image != image.digest) {
    TRY_STATUS(
        run.commit([&](meta::Tx& tx) { return records::set_task_image(tx, task.id, image.digest, now); }));
  }

  auto advisories = x_advisories.current();
  judge_into(judged, advisories.get(), now);
  const Summary& summary = judged.summary;
  if (!summary.problem.empty()) {
    TRY_STATUS(run.commit([&](meta::Tx& tx) { return records::put_judgement(tx, summary); }));
    return fail(Reason::scan_impossible, summary.problem);
  }
  return run.complete([&](meta::Tx& tx) -> Status {
    Task ended = task;
    ended.image = image.digest;
    ended.status = TaskStatus::complete;
    TRY_STATUS(records::put_judgement(tx, summary));
    TRY_STATUS(records::set_task_status(tx, task.id, TaskStatus::complete, "", "", now));
    return emit_end(tx, ended, &summary);
  });
}

Status Scanning::settle_scan(meta::Tx& tx, const job::Job& job, const Error& error) {
  TRY(auto task, records::find_task_of_job(tx, job.id));
  if (!task || task->status == TaskStatus::complete || task->status == TaskStatus::failed) return {};
  task->status = TaskStatus::failed;
  task->reason = reason_name(error.reason);
  task->message = error.message;
  TRY_STATUS(records::set_task_status(tx, task->id, task->status, task->reason, task->message,
                                      x_registry.clock().now()));
  return emit_end(tx, *task, nullptr);
}

Status Scanning::run_rematch(job::Run& run) {
  auto advisories = x_advisories.current();
  if (!advisories) return {};
  std::string after;
  while (true) {
    TRY_STATUS(keep_going(run));
    TRY(auto images, x_registry.db().read([&](meta::Tx& tx) {
      return records::outdated_images(tx, advisories->generation(), after, limits::scan_rematch_batch);
    }));
    if (images.empty()) return {};
    after = images.back();
    TRY_STATUS(rematch(run, advisories.get(), images));
  }
}

Status Scanning::rematch(job::Run& run, const AdvisoryDb* advisories,
                         const std::vector<std::string>& images) {
  std::vector<Summary> judged;
  for (const std::string& image : images) {
    TRY(auto stored, x_registry.db().read([&](meta::Tx& tx) { return records::find_image(tx, image); }));
    if (!stored) continue;
    JudgedImage fresh{.summary = stored->summary};
    auto json = decompress(stored->contents, limits::image_contents_bytes_max);
    auto contents = json.ok() ? read_contents(*json) : Result<ImageContents>(json.error());
    if (contents.ok()) {
      fresh.contents = *std::move(contents);
      judge_into(fresh, advisories, x_registry.clock().now());
    } else {
      fresh.summary.generation = advisories->generation();
      fresh.summary.problem = contents.error().message;
    }
    judged.push_back(std::move(fresh.summary));
  }
  return run.commit([&](meta::Tx& tx) -> Status {
    for (const Summary& summary : judged) {
      TRY_STATUS(records::put_judgement(tx, summary));
      if (!summary.problem.empty()) continue;
      TRY(auto revived, records::revive_tasks(tx, summary.image, x_registry.clock().now()));
      for (const Task& task : revived) TRY_STATUS(emit_end(tx, task, &summary));
    }
    return {};
  });
}

}  // namespace wharfage::scan
