// Images with their findings, kept for as long as they are asked for: paging through a list must not judge
// the image again for each page. Bounded, least recently used go first; an entry is only good for the
// advisories it was made with. Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "scan/model.h"

namespace wharfage::scan {

struct JudgedImage {
  Summary summary;  // problem tells why there is no judgement
  ImageContents contents;
  std::vector<Layer> layers;
  Judgement judgement;
};

// Fills in what the present advisories (null: none) say about the image's contents.
void judge_into(JudgedImage& image, const AdvisoryDb* advisories, TimeMs now);

class Judgements {
 public:
  // `analysed_at` and `generation` must be those it was made with.
  std::shared_ptr<const JudgedImage> find(const std::string& image, const std::string& generation,
                                          TimeMs analysed_at);
  void put(std::shared_ptr<const JudgedImage> judged);

 private:
  std::mutex x_mutex;
  std::list<std::shared_ptr<const JudgedImage>> x_recent;  // newest use first
};

}  // namespace wharfage::scan
