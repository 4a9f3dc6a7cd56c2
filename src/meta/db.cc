#include "meta/db.h"

#include "base/check.h"

namespace wharfage::meta {
namespace {

template <class T>
T column_as(const std::vector<Value>& columns, std::size_t column) {
  CHECK(column < columns.size(), "the row has that column");
  const auto& value = columns[column].get();
  if (std::holds_alternative<std::monostate>(value)) return T();
  const T* found = std::get_if<T>(&value);
  CHECK(found != nullptr, "the column has the type it is read as");
  return *found;
}

}  // namespace

bool Row::null(std::size_t column) const {
  CHECK(column < x_columns.size(), "the row has that column");
  return std::holds_alternative<std::monostate>(x_columns[column].get());
}

std::int64_t Row::integer(std::size_t column) const {
  return column_as<std::int64_t>(x_columns, column);
}

double Row::real(std::size_t column) const {
  // A sum of integers stays an integer on both databases.
  if (column < x_columns.size() && std::holds_alternative<std::int64_t>(x_columns[column].get())) {
    return static_cast<double>(integer(column));
  }
  return column_as<double>(x_columns, column);
}

std::string Row::text(std::size_t column) const {
  return column_as<std::string>(x_columns, column);
}

std::string Row::bytes(std::size_t column) const {
  return column_as<Bytes>(x_columns, column).data;
}

std::optional<std::int64_t> Row::optional_integer(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return integer(column);
}

std::optional<std::string> Row::optional_text(std::size_t column) const {
  if (null(column)) return std::nullopt;
  return text(column);
}

Result<std::optional<Row>> Tx::first(std::string_view sql, const Arguments& arguments) {
  TRY(Rows rows, query(sql, arguments));
  if (rows.empty()) return std::optional<Row>();
  return std::optional<Row>(std::move(rows.front()));
}

}  // namespace wharfage::meta
