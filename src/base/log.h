// Structured logs: one JSON object per line on standard error. A Log is a value that carries fields
// (request id, job id) into every line it writes; copies are cheap and lines are written whole.
// Never put a secret into a field. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wharfage {

enum class LogLevel { debug, info, warning, error };

struct LogField {
  std::string_view name;
  std::variant<std::string, std::int64_t, bool> value;
};

// Where lines go. The default sink writes to standard error.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(std::string_view line) = 0;  // `line` ends with a newline
};

class Log {
 public:
  explicit Log(LogLevel level = LogLevel::info);  // to standard error
  Log(std::shared_ptr<LogSink> sink, LogLevel level);

  Log with(std::string_view name, std::string_view value) const;

  void debug(std::string_view message, std::vector<LogField> fields = {}) const;
  void info(std::string_view message, std::vector<LogField> fields = {}) const;
  void warning(std::string_view message, std::vector<LogField> fields = {}) const;
  void error(std::string_view message, std::vector<LogField> fields = {}) const;

 private:
  void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) const;

  std::shared_ptr<LogSink> x_sink;
  LogLevel x_level;
  std::string x_carried;  // rendered ,"name":"value" pairs
};

// `text` as a JSON string literal with its quotes; invalid UTF-8 bytes become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace wharfage
