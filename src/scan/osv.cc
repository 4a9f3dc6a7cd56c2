#include "scan/osv.h"

#include <simdjson.h>
#include <algorithm>
#include <map>

#include "base/limits.h"
#include "base/text.h"
#include "scan/ecosystem.h"
#include "scan/versions.h"

namespace wharfage::scan {
namespace {

namespace dom = simdjson::dom;

std::string_view text_of(const dom::element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) ? std::string_view{} : text;
}

// A name, version or address: one word of printable ASCII, or nothing.
std::string word(std::string_view text) {
  bool fine = text.size() <= limits::advisory_field_max &&
              std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  return fine ? std::string(text) : std::string();
}

// Prose: without control characters, cut to what a person reads.
std::string prose(std::string_view text) {
  std::string out = cut(text, limits::advisory_description_max);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' && c != '\n') c = ' ';
  }
  return std::string(trim(out));
}

template <class Visit>
void each(const dom::element& object, std::string_view name, const Visit& visit) {
  dom::array items;
  if (object[name].get(items)) return;
  for (dom::element item : items) visit(item);
}

void add_word(std::vector<std::string>& list, std::string_view text) {
  std::string item = word(text);
  bool known = std::find(list.begin(), list.end(), item) != list.end();
  if (!item.empty() && !known && list.size() < limits::advisory_list_max) list.push_back(std::move(item));
}

// "DEBIAN-CVE-2024-1" is what Debian's feed calls CVE-2024-1.
std::string_view plain_id(std::string_view id) {
  for (std::string_view prefix : {"DEBIAN-", "UBUNTU-", "ALPINE-"}) {
    if (id.starts_with(prefix) && id.substr(prefix.size()).starts_with("CVE-"))
      return id.substr(prefix.size());
  }
  return id;
}

// The notices whose `related` CVEs are what they fix; elsewhere "related" means merely similar.
bool is_notice(std::string_view id) {
  return id.starts_with("DSA-") || id.starts_with("DLA-") || id.starts_with("DTSA-") ||
         id.starts_with("USN-");
}

std::optional<Severity> debian_urgency(std::string_view urgency) {
  while (urgency.ends_with('*')) urgency.remove_suffix(1);
  if (urgency == "unimportant") return Severity::negligible;
  if (urgency == "low") return Severity::low;
  if (urgency == "medium") return Severity::medium;
  if (urgency == "high") return Severity::high;
  return std::nullopt;  // not yet assigned, undetermined, end-of-life
}

// What a `severity` list says: the newest CVSS vector that can be scored, and a vendor's own word.
struct Severities {
  std::string vector;
  std::optional<CvssScore> cvss;
  std::optional<Severity> vendor;

  void read(const dom::element& object) {
    each(object, "severity", [&](const dom::element& item) {
      std::string_view type = text_of(item, "type");
      std::string_view score = text_of(item, "score");
      if (type == "Ubuntu") {
        vendor = find_severity(score);
      } else if (auto scored = score_cvss(score); scored && (!cvss || scored->version > cvss->version)) {
        cvss = scored;
        vector = word(score);
      }
    });
  }
};

// One `ranges` entry as events in version order.
struct RangeEvent {
  enum Kind { introduced, fixed, last_affected } kind;
  std::string_view version;
};

std::vector<RangeEvent> read_events(const dom::element& range, VersionScheme scheme) {
  std::vector<RangeEvent> events;
  each(range, "events", [&](const dom::element& event) {
    if (events.size() >= limits::advisory_versions_max) return;
    if (auto version = text_of(event, "introduced"); !version.empty()) {
      events.push_back({RangeEvent::introduced, version == "0" ? std::string_view{} : version});
    } else if (version = text_of(event, "fixed"); !version.empty()) {
      events.push_back({RangeEvent::fixed, version});
    } else if (version = text_of(event, "last_affected"); !version.empty()) {
      events.push_back({RangeEvent::last_affected, version});
    }
  });
  if (events.size() > 2) {
    std::stable_sort(events.begin(), events.end(), [&](const RangeEvent& a, const RangeEvent& b) {
      if (a.version.empty() || b.version.empty()) return a.version.empty() && !b.version.empty();
      return compare_versions(scheme, a.version, b.version) < 0;
    });
  }
  return events;
}

// Turns one `affected` entry into ranges.
class AffectedReader {
 public:
  AffectedReader(Advisory& advisory, AffectedRange pattern, VersionScheme scheme)
      : x_advisory(advisory),
        x_pattern(std::move(pattern)),
        x_scheme(scheme),
        x_first(advisory.ranges.size()) {}

  void read(const dom::element& affected) {
    each(affected, "ranges", [&](const dom::element& range) {
      std::string_view type = text_of(range, "type");
      if (type == "ECOSYSTEM" || type == "SEMVER") read_range(range);
    });
    std::size_t left = limits::advisory_versions_max;
    each(affected, "versions", [&](const dom::element& item) {
      std::string_view version;
      if (item.get(version) || left == 0) return;
      --left;
      if (!covered(version)) add(word(version), {}, LimitKind::exact);
    });
  }

 private:
  void read_range(const dom::element& range) {
    std::optional<std::string_view> open;
    for (const RangeEvent& event : read_events(range, x_scheme)) {
      if (event.kind == RangeEvent::introduced) {
        if (!open) open = event.version;
        continue;
      }
      if (!open) continue;
      add(word(*open), word(event.version),
          event.kind == RangeEvent::fixed ? LimitKind::fixed : LimitKind::last_affected);
      open.reset();
    }
    if (open) add(word(*open), {}, LimitKind::none);
  }

  void add(std::string introduced, std::string limit, LimitKind kind) {
    bool never = kind == LimitKind::fixed && limit == "0";  // the tracker's way to say "not affected"
    bool lost = (kind == LimitKind::fixed || kind == LimitKind::last_affected) && limit.empty();
    if (never || lost || (kind == LimitKind::exact && introduced.empty())) return;
    AffectedRange range = x_pattern;
    range.introduced = std::move(introduced);
    range.limit = std::move(limit);
    range.limit_kind = kind;
    x_advisory.ranges.push_back(std::move(range));
  }

  // Whether a range already says what an enumerated version says.
  bool covered(std::string_view version) const {
    for (std::size_t i = x_first; i < x_advisory.ranges.size(); ++i) {
      const AffectedRange& range = x_advisory.ranges[i];
      if (range.limit_kind == LimitKind::exact) continue;
      bool from = range.introduced.empty() || compare_versions(x_scheme, version, range.introduced) >= 0;
      auto order = compare_versions(x_scheme, version, range.limit);
      bool before = range.limit_kind == LimitKind::none || order < 0 ||
                    (range.limit_kind == LimitKind::last_affected && order == 0);
      if (from && before) return true;
    }
    return false;
  }

  Advisory& x_advisory;
  AffectedRange x_pattern;
  VersionScheme x_scheme;
  std::size_t x_first;
};

// What the record says whatever the family.
Advisory read_common(const dom::element& record, const Severities& severities) {
  Advisory advisory;
  std::string_view id = text_of(record, "id");
  advisory.id = word(plain_id(id));
  advisory.secondary = !advisory.id.starts_with("CVE-");
  advisory.summary = prose(text_of(record, "summary"));
  advisory.details = prose(text_of(record, "details"));
  advisory.cvss = severities.cvss;
  advisory.cvss_vector = severities.vector;
  advisory.published = parse_rfc3339(text_of(record, "published")).value_or(0);
  advisory.modified = parse_rfc3339(text_of(record, "modified")).value_or(0);
  if (id != advisory.id) add_word(advisory.aliases, id);
  for (std::string_view list : {"aliases", "upstream", "related"}) {
    each(record, list, [&](const dom::element& item) {
      std::string_view other;
      if (item.get(other)) return;
      bool cve = other.starts_with("CVE-");
      if (advisory.secondary && cve && (list != "related" || is_notice(advisory.id))) {
        add_word(advisory.cves, other);
      } else if (list == "aliases" && other != advisory.id) {
        add_word(advisory.aliases, other);
      }
    });
  }
  each(record, "references", [&](const dom::element& item) {
    std::string_view url = text_of(item, "url");
    if (url.starts_with("https://") || url.starts_with("http://")) add_word(advisory.references, url);
  });
  return advisory;
}

}  // namespace

struct OsvReader::State {
  dom::parser parser{limits::advisory_json_max};
};

OsvReader::OsvReader() : x_state(std::make_unique<State>()) {}
OsvReader::~OsvReader() = default;

Result<OsvRecord> OsvReader::read(std::string_view json) {
  dom::element record;
  if (x_state->parser.parse(json.data(), json.size()).get(record)) return fail(Reason::malformed_body);
  Severities severities;
  severities.read(record);
  Advisory common = read_common(record, severities);
  if (common.id.empty()) return fail(Reason::malformed_body, "an advisory has no id");
  OsvRecord result;
  result.withdrawn = !text_of(record, "withdrawn").empty();

  std::map<std::string_view, Advisory> families;
  each(record, "affected", [&](const dom::element& affected) {
    dom::element package;
    if (affected["package"].get(package)) return;
    auto ecosystem = find_ecosystem(text_of(package, "ecosystem"));
    std::string name = word(text_of(package, "name"));
    if (!ecosystem || name.empty()) return;
    auto [at, fresh] = families.try_emplace(ecosystem->family);
    if (fresh) at->second = common;
    Severities own;
    own.read(affected);
    std::string_view urgency;
    if (affected.at_pointer("/ecosystem_specific/urgency").get(urgency)) urgency = {};
    AffectedRange pattern{.release = ecosystem->release, .package = std::move(name)};
    pattern.vendor_severity = debian_urgency(urgency);
    if (!pattern.vendor_severity) pattern.vendor_severity = own.vendor ? own.vendor : severities.vendor;
    pattern.end_of_life = urgency == "end-of-life";
    if (!at->second.cvss && own.cvss) {
      at->second.cvss = own.cvss;
      at->second.cvss_vector = own.vector;
    }
    AffectedReader(at->second, std::move(pattern), ecosystem->scheme).read(affected);
  });
  for (auto& [family, advisory] : families) {
    advisory.family = family;
    result.advisories.push_back(std::move(advisory));
  }
  return result;
}

}  // namespace wharfage::scan
