#include "scan/judgements.h"

#include <algorithm>

#include "base/limits.h"

namespace wharfage::scan {

void judge_into(JudgedImage& image, const AdvisoryDb* advisories, TimeMs now) {
  Summary& summary = image.summary;
  summary.generation = advisories ? advisories->generation() : "";
  summary.judged_at = now;
  auto judgement = judge(image.contents, advisories);
  image.judgement = judgement.ok() ? *std::move(judgement) : Judgement{};
  summary.problem = judgement.ok() ? "" : judgement.error().message;
  summary.release = image.judgement.release;
  summary.counts = image.judgement.counts;
}

std::shared_ptr<const JudgedImage> Judgements::find(const std::string& image, const std::string& generation,
                                                    TimeMs analysed_at) {
  std::lock_guard lock(x_mutex);
  auto at = std::find_if(x_recent.begin(), x_recent.end(),
                         [&](const auto& known) { return known->summary.image == image; });
  if (at == x_recent.end()) return nullptr;
  const Summary& summary = (*at)->summary;
  if (summary.generation != generation || summary.analysed_at != analysed_at) {
    x_recent.erase(at);
    return nullptr;
  }
  x_recent.splice(x_recent.begin(), x_recent, at);
  return x_recent.front();
}

void Judgements::put(std::shared_ptr<const JudgedImage> judged) {
  std::lock_guard lock(x_mutex);
  std::erase_if(x_recent, [&](const auto& known) { return known->summary.image == judged->summary.image; });
  x_recent.push_front(std::move(judged));
  while (x_recent.size() > limits::judged_images_kept_max) x_recent.pop_back();
}

}  // namespace wharfage::scan
