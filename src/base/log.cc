#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/time.h"

namespace wharfage {
namespace {

class StderrSink final : public LogSink {
 public:
  void write(std::string_view line) override {
    // One write per line keeps lines whole; a full pipe must not stop the server.
    [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
  }
};

std::string_view level_name(LogLevel level) {
  constexpr std::string_view names[] = {"debug", "info", "warning", "error"};
  return names[static_cast<int>(level)];
}

// Length of the valid UTF-8 sequence that starts at `at`, or 0.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  auto lead = static_cast<unsigned char>(text[at]);
  std::size_t length = lead < 0x80                   ? 1
                       : lead >= 0xf0 && lead < 0xf5 ? 4
                       : lead >= 0xe0                ? 3
                       : lead >= 0xc2                ? 2
                                                     : 0;
  if (lead >= 0xf5 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

std::string render(const LogField& field) {
  std::string out = fmt::format(",{}:", json_string(field.name));
  if (auto text = std::get_if<std::string>(&field.value)) return out + json_string(*text);
  if (auto number = std::get_if<std::int64_t>(&field.value)) return out + fmt::format("{}", *number);
  return out + (std::get<bool>(field.value) ? "true" : "false");
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    unsigned char c = static_cast<unsigned char>(text[at]);
    std::size_t length = utf8_length(text, at);
    if (c == '"' || c == '\\') {
      out += {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20) {
      out += fmt::format("\\u{:04x}", c);
    } else if (length == 0) {
      out += "\xef\xbf\xbd";
    } else {
      out += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out + "\"";
}

Log::Log(LogLevel level) : Log(std::make_shared<StderrSink>(), level) {}
Log::Log(std::shared_ptr<LogSink> sink, LogLevel level) : x_sink(std::move(sink)), x_level(level) {}

Log Log::with(std::string_view name, std::string_view value) const {
  Log copy = *this;
  copy.x_carried += render({name, std::string(value)});
  return copy;
}

void Log::debug(std::string_view message, std::vector<LogField> fields) const {
  write(LogLevel::debug, message, fields);
}
void Log::info(std::string_view message, std::vector<LogField> fields) const {
  write(LogLevel::info, message, fields);
}
void Log::warning(std::string_view message, std::vector<LogField> fields) const {
  write(LogLevel::warning, message, fields);
}
void Log::error(std::string_view message, std::vector<LogField> fields) const {
  write(LogLevel::error, message, fields);
}

void Log::write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) const {
  if (level < x_level) return;
  std::string line =
      fmt::format(R"({{"time":"{}","level":"{}","message":{}{})", rfc3339_ms(SystemClock().now()),
                  level_name(level), json_string(message), x_carried);
  for (const auto& field : fields) line += render(field);
  x_sink->write(line + "}\n");
}

}  // namespace wharfage
