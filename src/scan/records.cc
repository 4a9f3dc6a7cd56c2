#include "scan/records.h"

#include <boost/json.hpp>

namespace wharfage::scan::records {
namespace {

namespace json = boost::json;

// digest, system, packages, analysed_at, judged_release, generation, problem, judged_at, count_unknown …
// count_critical, count_fixable, count_hidden
Summary summary_of(const meta::Row& row) {
  Summary summary{.image = row.text(0),
                  .system = row.text(1),
                  .release = row.text(4),
                  .packages = row.integer(2),
                  .generation = row.text(5),
                  .problem = row.text(6),
                  .analysed_at = row.integer(3),
                  .judged_at = row.integer(7)};
  for (int i = 0; i < severity_count; ++i) {
    summary.counts.by_severity[static_cast<std::size_t>(i)] = row.integer(static_cast<std::size_t>(8 + i));
  }
  summary.counts.fixable = row.integer(14);
  summary.counts.hidden = row.integer(15);
  return summary;
}

// id, name, scope, trigger_type, scan_type, namespaces, repositories, tag_pattern, created_at, updated_at
std::vector<std::string> names_of(const std::string& text) {
  std::vector<std::string> names;
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_array()) return names;
  for (const json::value& item : value.get_array()) {
    if (item.is_string()) names.emplace_back(item.get_string());
  }
  return names;
}

std::string text_of(const std::vector<std::string>& names) {
  return json::serialize(json::array(names.begin(), names.end()));
}

Rule rule_of(const meta::Row& row) {
  return {.id = row.text(0),
          .name = row.text(1),
          .scope = row.text(2),
          .trigger = row.text(3),
          .scan_type = row.text(4),
          .namespaces = names_of(row.text(5)),
          .repositories = names_of(row.text(6)),
          .tag_pattern = row.text(7),
          .created_at = row.integer(8),
          .updated_at = row.integer(9)};
}

std::vector<Rule> rules_of(const meta::Rows& rows) {
  std::vector<Rule> rules;
  for (const meta::Row& row : rows) rules.push_back(rule_of(row));
  return rules;
}

// The only constraint a rule can break is its name's.
Result<std::int64_t> named(Result<std::int64_t> changed) {
  if (!changed.ok() && changed.error().reason == Reason::conflict) return fail(Reason::scan_rule_exists);
  return changed;
}

}  // namespace

Result<std::optional<std::string>> find_diff_id(meta::Tx& tx, std::string_view blob) {
  TRY(auto row, tx.first(R"sql(SELECT diff_id FROM scan_blobs WHERE digest = $1)sql", {blob}));
  if (!row) return std::optional<std::string>();
  return std::optional<std::string>(row->text(0));
}

Result<std::optional<std::string>> find_analysis(meta::Tx& tx, std::string_view diff_id, int analyser) {
  TRY(auto row, tx.first(R"sql(SELECT analysis FROM scan_layers WHERE diff_id = $1 AND analyser = $2)sql",
                         {diff_id, analyser}));
  if (!row) return std::optional<std::string>();
  return std::optional<std::string>(row->bytes(0));
}

Status put_layer(meta::Tx& tx, std::string_view blob, std::string_view diff_id, int analyser,
                 const std::string& packed, TimeMs now) {
  TRY_STATUS(tx.execute(R"sql(
      INSERT INTO scan_layers (diff_id, analyser, analysis, created_at) VALUES ($1, $2, $3, $4)
      ON CONFLICT (diff_id, analyser) DO NOTHING
    )sql",
                        {diff_id, analyser, meta::Bytes{packed}, now}));
  TRY_STATUS(tx.execute(R"sql(
      INSERT INTO scan_blobs (digest, diff_id) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING
    )sql",
                        {blob, diff_id}));
  return {};
}

Result<std::optional<Image>> find_image(meta::Tx& tx, std::string_view digest) {
  TRY(auto row, tx.first(R"sql(
      SELECT digest, system, packages, analysed_at, judged_release, generation, problem, judged_at,
        count_unknown,
             count_negligible, count_low, count_medium, count_high, count_critical, count_fixable,
             count_hidden,
             analyser, contents
      FROM scan_images WHERE digest = $1
    )sql",
                         {digest}));
  if (!row) return std::optional<Image>();
  return std::optional<Image>({summary_of(*row), static_cast<int>(row->integer(16)), row->bytes(17)});
}

Result<std::optional<Summary>> find_summary(meta::Tx& tx, std::string_view digest) {
  TRY(auto row, tx.first(R"sql(
      SELECT digest, system, packages, analysed_at, judged_release, generation, problem, judged_at,
        count_unknown,
             count_negligible, count_low, count_medium, count_high, count_critical, count_fixable,
             count_hidden
      FROM scan_images WHERE digest = $1
    )sql",
                         {digest}));
  if (!row) return std::optional<Summary>();
  return std::optional<Summary>(summary_of(*row));
}

Result<std::vector<Layer>> layers_of(meta::Tx& tx, std::string_view digest) {
  TRY(auto rows, tx.query(R"sql(
      SELECT digest, diff_id FROM scan_image_layers WHERE image = $1 ORDER BY place
    )sql",
                          {digest}));
  std::vector<Layer> layers;
  for (const meta::Row& row : rows) layers.push_back({row.text(0), row.text(1)});
  return layers;
}

Status put_image(meta::Tx& tx, const Image& image, const std::vector<Layer>& layers) {
  const Summary& summary = image.summary;
  TRY_STATUS(tx.execute(R"sql(
      INSERT INTO scan_images (digest, analyser, contents, system, packages, analysed_at, judged_release,
        generation,
                               problem, judged_at, count_unknown, count_negligible, count_low, count_medium,
                               count_high, count_critical, count_fixable, count_hidden)
      VALUES ($1, $2, $3, $4, $5, $6, '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0)
      ON CONFLICT (digest) DO UPDATE SET analyser = excluded.analyser, contents = excluded.contents,
        system = excluded.system, packages = excluded.packages, analysed_at = excluded.analysed_at,
          generation = ''
    )sql",
                        {summary.image, image.analyser, meta::Bytes{image.contents}, summary.system,
                         summary.packages, summary.analysed_at}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM scan_image_layers WHERE image = $1)sql", {summary.image}));
  for (std::size_t place = 0; place < layers.size(); ++place) {
    TRY_STATUS(tx.execute(R"sql(
        INSERT INTO scan_image_layers (image, place, digest, diff_id) VALUES ($1, $2, $3, $4)
      )sql",
                          {summary.image, place, layers[place].digest, layers[place].diff_id}));
  }
  return {};
}

Status put_judgement(meta::Tx& tx, const Summary& summary) {
  const SeverityCounts& counts = summary.counts;
  TRY_STATUS(tx.execute(R"sql(
      UPDATE scan_images SET judged_release = $2, generation = $3, problem = $4, judged_at = $5,
        count_unknown = $6,
        count_negligible = $7, count_low = $8, count_medium = $9, count_high = $10, count_critical = $11,
        count_fixable = $12, count_hidden = $13
      WHERE digest = $1
    )sql",
                        {summary.image, summary.release, summary.generation, summary.problem,
                         summary.judged_at, counts.of(Severity::unknown), counts.of(Severity::negligible),
                         counts.of(Severity::low), counts.of(Severity::medium), counts.of(Severity::high),
                         counts.of(Severity::critical), counts.fixable, counts.hidden}));
  return {};
}

Result<std::vector<std::string>> outdated_images(meta::Tx& tx, std::string_view generation,
                                                 std::string_view after, std::int64_t limit) {
  TRY(auto rows, tx.query(R"sql(
      SELECT digest FROM scan_images WHERE digest > $2 AND generation <> $1 ORDER BY digest LIMIT $3
    )sql",
                          {generation, after, limit}));
  std::vector<std::string> digests;
  for (const meta::Row& row : rows) digests.push_back(row.text(0));
  return digests;
}

Status drop_image_unless_used(meta::Tx& tx, std::string_view digest) {
  TRY(auto used, tx.first(R"sql(SELECT 1 FROM scan_tasks WHERE image = $1 LIMIT 1)sql", {digest}));
  if (used) return {};
  TRY(auto layers, layers_of(tx, digest));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM scan_image_layers WHERE image = $1)sql", {digest}));
  TRY_STATUS(tx.execute(R"sql(DELETE FROM scan_images WHERE digest = $1)sql", {digest}));
  for (const Layer& layer : layers) {
    TRY(auto other,
        tx.first(R"sql(SELECT 1 FROM scan_image_layers WHERE diff_id = $1 LIMIT 1)sql", {layer.diff_id}));
    if (other) continue;
    TRY_STATUS(tx.execute(R"sql(DELETE FROM scan_layers WHERE diff_id = $1)sql", {layer.diff_id}));
    TRY_STATUS(tx.execute(R"sql(DELETE FROM scan_blobs WHERE diff_id = $1)sql", {layer.diff_id}));
  }
  return {};
}

Status insert_rule(meta::Tx& tx, const Rule& rule) {
  TRY_STATUS(named(
      tx.execute(R"sql(
      INSERT INTO scan_rules (id, name, scope, trigger_type, scan_type, namespaces, repositories, tag_pattern,
                              created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    )sql",
                 {rule.id, rule.name, rule.scope, rule.trigger, rule.scan_type, text_of(rule.namespaces),
                  text_of(rule.repositories), rule.tag_pattern, rule.created_at, rule.updated_at})));
  return {};
}

Status update_rule(meta::Tx& tx, const Rule& rule) {
  TRY(auto changed, named(tx.execute(R"sql(
      UPDATE scan_rules SET name = $2, scope = $3, trigger_type = $4, namespaces = $5, repositories = $6,
        tag_pattern = $7, updated_at = $8
      WHERE id = $1
    )sql",
                                     {rule.id, rule.name, rule.scope, rule.trigger, text_of(rule.namespaces),
                                      text_of(rule.repositories), rule.tag_pattern, rule.updated_at})));
  return changed == 0 ? fail(Reason::scan_rule_unknown) : Status{};
}

Status delete_rule(meta::Tx& tx, std::string_view id) {
  TRY(auto changed, tx.execute(R"sql(DELETE FROM scan_rules WHERE id = $1)sql", {id}));
  return changed == 0 ? fail(Reason::scan_rule_unknown) : Status{};
}

Result<std::optional<Rule>> find_rule(meta::Tx& tx, std::string_view id) {
  TRY(auto row, tx.first(R"sql(
      SELECT id, name, scope, trigger_type, scan_type, namespaces, repositories, tag_pattern, created_at,
        updated_at
      FROM scan_rules WHERE id = $1
    )sql",
                         {id}));
  if (!row) return std::optional<Rule>();
  return std::optional<Rule>(rule_of(*row));
}

Result<Page<Rule>> list_rules(meta::Tx& tx, Slice slice) {
  TRY(auto rows, tx.query(R"sql(
      SELECT id, name, scope, trigger_type, scan_type, namespaces, repositories, tag_pattern, created_at,
        updated_at
      FROM scan_rules ORDER BY created_at, id LIMIT $1 OFFSET $2
    )sql",
                          {slice.limit, slice.offset}));
  TRY(auto count, tx.first(R"sql(SELECT COUNT(*) FROM scan_rules)sql"));
  return Page<Rule>{rules_of(rows), count ? count->integer(0) : 0};
}

Result<std::vector<Rule>> rules_by_trigger(meta::Tx& tx, std::string_view trigger) {
  TRY(auto rows, tx.query(R"sql(
      SELECT id, name, scope, trigger_type, scan_type, namespaces, repositories, tag_pattern, created_at,
        updated_at
      FROM scan_rules WHERE trigger_type = $1 ORDER BY id
    )sql",
                          {trigger}));
  return rules_of(rows);
}

}  // namespace wharfage::scan::records
