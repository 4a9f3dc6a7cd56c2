#include "registry/retention_plan.h"

#include <algorithm>
#include <deque>
#include <queue>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "registry/policy_limits.h"
#include "registry/protection.h"
#include "registry/records.h"
#include "registry/retention_records.h"
#include "registry/tag_patterns.h"

namespace wharfage::registry {
namespace {

using records::Candidate;
using Ids = std::unordered_set<std::int64_t>;

TimeMs last_use(const Candidate& candidate) {
  return candidate.pulled_at != 0 ? candidate.pulled_at : candidate.pushed_at;
}

// A rule that is about the repository.
struct Concerned {
  const RetentionRule* rule;
  TagPatterns spared;
};

// One rule on its way over the candidates of one kind, newest first.
struct Running {
  const RetentionRule& rule;
  const TagPatterns& spared;
  Ids last{};  // of a rule that counts: what it keeps, by what_counts()

  bool counts_pulls() const { return rule.keep == Keep::pulled_count || rule.keep == Keep::pulled_images; }
  std::int64_t what_counts(const Candidate& candidate) const {
    bool images = rule.keep == Keep::pushed_images || rule.keep == Keep::pulled_images;
    return images ? candidate.manifest_id : candidate.id;
  }

  bool selects(const Candidate& candidate) const {
    if (candidate.tag.empty()) return rule.untagged;
    return rule.selector.selects_tag(candidate.tag) && !spared.hold(candidate.tag);
  }
  bool keeps(const Candidate& candidate, TimeMs now) {
    switch (rule.keep) {
      case Keep::all:
        return true;
      case Keep::pushed_count:
      case Keep::pushed_images:
        if (static_cast<std::int64_t>(last.size()) < rule.value) last.insert(what_counts(candidate));
        return last.contains(what_counts(candidate));
      case Keep::pulled_count:
      case Keep::pulled_images:
        return last.contains(what_counts(candidate));
      case Keep::pushed_days:
        return candidate.pushed_at >= now - rule.value * day_ms;
      case Keep::pulled_days:
        return last_use(candidate) >= now - rule.value * day_ms;
    }
    return true;
  }
};

class Planner {
 public:
  Planner(meta::Db& db, const Repository& repository, const std::vector<RetentionRule>& rules, TimeMs now)
      : x_db(db), x_repository(repository), x_now(now) {
    for (const auto& rule : rules) {
      bool own = rule.repository_id == 0 || rule.repository_id == repository.id;
      if (own && rule.enabled && rule.selector.selects_repository(repository.name))
        x_rules.push_back({&rule, TagPatterns(rule.spared)});
    }
  }

  Result<RetentionPlan> run() {
    bool any_goes =
        std::any_of(x_rules.begin(), x_rules.end(), [](const auto& one) { return !one.rule->only_keeps; });
    if (!any_goes) return x_plan;
    TRY(x_protection, x_db.read([this](meta::Tx& tx) { return Protection::of(tx, x_repository); }));
    TRY_STATUS(judge(&records::tag_candidates));
    bool untagged =
        std::any_of(x_rules.begin(), x_rules.end(), [](const auto& one) { return one.rule->untagged; });
    if (untagged) TRY_STATUS(judge(&records::untagged_candidates));
    TRY_STATUS(remove_images());
    return std::move(x_plan);
  }

 private:
  using Source = Result<std::vector<Candidate>> (*)(meta::Tx&, std::int64_t, const records::CandidateKey&,
                                                    std::int64_t);
  // Every candidate once, in pages; ends early when `visit` says so.
  template <class Visit>
  Status each(Source source, Visit visit) {
    for (records::CandidateKey after;;) {
      TRY(auto page, x_db.read([&](meta::Tx& tx) {
        return source(tx, x_repository.id, after, limits::retention_page);
      }));
      for (const auto& candidate : page) {
        if (!visit(candidate)) return {};
      }
      if (static_cast<std::int64_t>(page.size()) < limits::retention_page) return {};
      after = {page.back().pushed_at, page.back().id};
    }
  }

  Status find_pulled_last(Source source, Running& running);
  Status judge(Source source);
  void judge_one(std::vector<Running>& rules, const Candidate& candidate);
  Status remove_images();
  struct Image {
    std::int64_t id;
    std::string digest, reason;
    bool attached;        // to one that goes
    bool judged = false;  // without a tag, by the rules
  };
  Result<bool> goes(meta::Tx& tx, const Image& image);
  Result<bool> is_free(meta::Tx& tx, std::int64_t id, const std::string& digest);
  bool full() const {
    return static_cast<std::int64_t>(x_plan.removals.size()) >= limits::retention_removals_max;
  }

  meta::Db& x_db;
  const Repository& x_repository;
  const TimeMs x_now;
  std::vector<Concerned> x_rules;
  Protection x_protection;
  RetentionPlan x_plan;
  std::unordered_map<std::int64_t, std::int64_t> x_tags_lost;  // of which image how many
  std::deque<Image> x_losing;                                  // images to look at
  Ids x_gone;
};

// The `value` candidates pulled last, and while there is room those never pulled, by their pushes: a heap
// with the one to give way on top. An image counts as of its first tag here, the one pushed last.
Status Planner::find_pulled_last(Source source, Running& running) {
  using Entry = std::tuple<TimeMs, TimeMs, std::int64_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> last;
  TRY_STATUS(each(source, [&](const Candidate& candidate) {
    if (!running.selects(candidate)) return true;
    if (!running.last.insert(running.what_counts(candidate)).second) return true;
    last.push({candidate.pulled_at, candidate.pushed_at, running.what_counts(candidate)});
    if (static_cast<std::int64_t>(last.size()) <= running.rule.value) return true;
    running.last.erase(std::get<2>(last.top()));
    last.pop();
    return true;
  }));
  return {};
}

Status Planner::judge(Source source) {
  std::vector<Running> rules;
  for (const auto& [rule, spared] : x_rules) {
    Running running{*rule, spared};
    if (running.counts_pulls()) TRY_STATUS(find_pulled_last(source, running));
    rules.push_back(std::move(running));
  }
  return each(source, [&](const Candidate& candidate) {
    judge_one(rules, candidate);
    x_plan.more = x_plan.more || full();
    return !full();
  });
}

void Planner::judge_one(std::vector<Running>& rules, const Candidate& candidate) {
  bool selected = false;
  std::string kept_by;
  for (auto& running : rules) {
    if (!running.selects(candidate)) continue;
    selected = selected || !running.rule.only_keeps;
    // Each rule counts for itself, whatever the others keep.
    if (running.keeps(candidate, x_now) && kept_by.empty()) kept_by = "rule \"" + running.rule.name + "\"";
  }
  if (!selected) return;
  bool is_tag = !candidate.tag.empty();
  if (kept_by.empty() && is_tag && !x_protection.check(candidate.tag).ok()) kept_by = "the tag is immutable";
  bool young = !is_tag && candidate.pushed_at > x_now - limits::retention_untagged_age_ms;
  if (kept_by.empty() && young) kept_by = "it was pushed within the last hour";
  if (!kept_by.empty()) {
    ++x_plan.kept_count;
    if (static_cast<std::int64_t>(x_plan.kept.size()) < limits::retention_kept_told_max)
      x_plan.kept.push_back({candidate.tag, candidate.digest, kept_by});
    return;
  }
  if (!is_tag) {
    x_losing.push_back(
        {candidate.manifest_id, candidate.digest, "no tag, and no rule keeps it", false, true});
    return;
  }
  x_plan.removals.push_back({candidate.tag, candidate.digest, "no rule keeps it"});
  if (++x_tags_lost[candidate.manifest_id] == 1)
    x_losing.push_back({candidate.manifest_id, candidate.digest, "its last tag goes", false});
}

// An image with neither a tag that stays nor an index that stays.
Result<bool> Planner::is_free(meta::Tx& tx, std::int64_t id, const std::string& digest) {
  TRY(std::int64_t tags, records::count_tags_on(tx, id));
  auto lost = x_tags_lost.find(id);
  if (tags > (lost == x_tags_lost.end() ? 0 : lost->second)) return false;
  TRY(auto parents, records::parents_of(tx, x_repository.id, digest));
  return std::all_of(parents.begin(), parents.end(), [this](auto parent) { return x_gone.contains(parent); });
}

// What is attached to an image that goes has no say; everything else must be free.
Result<bool> Planner::goes(meta::Tx& tx, const Image& image) {
  if (x_gone.contains(image.id)) return false;
  if (!image.attached) return is_free(tx, image.id, image.digest);
  TRY(bool tagged, records::has_image_tag(tx, image.id));
  return !tagged;
}

// What only this image held is looked at next, and what is attached to it.
Status Planner::remove_images() {
  while (!x_losing.empty()) {
    Image image = std::move(x_losing.front());
    x_losing.pop_front();
    TRY_STATUS(x_db.read([&](meta::Tx& tx) -> Status {
      TRY(bool going, goes(tx, image));
      if (!going) return {};
      x_gone.insert(image.id);
      x_plan.removals.push_back({"", image.digest, image.reason, image.judged});
      std::string name = image.digest.substr(0, 19);
      TRY(auto children, records::near_children_of(tx, image.id));
      for (auto& child : children)
        x_losing.push_back({child.id, child.digest, "it belongs to " + name, false});
      TRY(auto accessories, records::accessories_of(tx, x_repository.id, image.digest));
      for (auto& accessory : accessories)
        x_losing.push_back({accessory.id, accessory.digest, "it is attached to " + name, true});
      return {};
    }));
  }
  return {};
}

}  // namespace

Result<RetentionPlan> plan_retention(meta::Db& db, const Repository& repository,
                                     const std::vector<RetentionRule>& rules, TimeMs now) {
  return Planner(db, repository, rules, now).run();
}

}  // namespace wharfage::registry
