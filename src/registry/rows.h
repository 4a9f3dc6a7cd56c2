// From result rows to values: what every records_*.cc does with an answer of the database.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "meta/db.h"

namespace wharfage::registry::records {

template <class T>
Result<std::optional<T>> one(Result<std::optional<meta::Row>> row, T (*to)(const meta::Row&)) {
  if (!row.ok()) return row.error();
  if (!*row) return std::optional<T>();
  return std::optional<T>(to(**row));
}

template <class T>
Result<std::vector<T>> all(Result<meta::Rows> rows, T (*to)(const meta::Row&)) {
  if (!rows.ok()) return rows.error();
  std::vector<T> found;
  found.reserve(rows->size());
  for (const auto& row : *rows) found.push_back(to(row));
  return found;
}

inline std::string first_text(const meta::Row& row) {
  return row.text(0);
}

inline Result<bool> exists(Result<std::optional<meta::Row>> row) {
  if (!row.ok()) return row.error();
  return row->has_value();
}

inline Result<std::int64_t> number(Result<std::optional<meta::Row>> row) {
  if (!row.ok()) return row.error();
  return *row ? (*row)->integer(0) : 0;
}

inline Result<bool> changed(Result<std::int64_t> rows) {
  if (!rows.ok()) return rows.error();
  return *rows > 0;
}

inline Status done(Result<std::int64_t> rows) {
  if (!rows.ok()) return rows.error();
  return {};
}

}  // namespace wharfage::registry::records
