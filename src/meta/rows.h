// From result rows to values: what every records.cc does with an answer of the database. Errors pass through.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "meta/db.h"

namespace wharfage::meta::rows {

template <class T>
Result<std::optional<T>> one(Result<std::optional<Row>> row, T (*to)(const Row&)) {
  if (!row.ok()) return std::move(row).error();
  if (!*row) return std::optional<T>();
  return std::optional<T>(to(**row));
}

template <class T>
Result<std::vector<T>> all(Result<Rows> rows, T (*to)(const Row&)) {
  if (!rows.ok()) return std::move(rows).error();
  std::vector<T> found;
  found.reserve(rows->size());
  for (const Row& row : *rows) found.push_back(to(row));
  return found;
}

inline std::string first_text(const Row& row) {
  return row.text(0);
}

inline std::int64_t first_integer(const Row& row) {
  return row.integer(0);
}

inline Result<bool> exists(Result<std::optional<Row>> row) {
  if (!row.ok()) return std::move(row).error();
  return row->has_value();
}

// Its first column; 0 when there is no row.
inline Result<std::int64_t> number(Result<std::optional<Row>> row) {
  if (!row.ok()) return std::move(row).error();
  return *row ? (*row)->integer(0) : 0;
}

inline Result<bool> changed(Result<std::int64_t> count) {
  if (!count.ok()) return std::move(count).error();
  return *count > 0;
}

inline Status done(Result<std::int64_t> count) {
  if (!count.ok()) return std::move(count).error();
  return {};
}

}  // namespace wharfage::meta::rows
