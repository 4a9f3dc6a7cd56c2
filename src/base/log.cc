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

// What may follow a lead byte, so that nothing is written longer than it must be and no surrogate is encoded
// (RFC 3629, section 4).
bool is_second(unsigned char lead, unsigned char second) {
  if (lead == 0xe0) return second >= 0xa0 && second < 0xc0;
  if (lead == 0xed) return second >= 0x80 && second < 0xa0;
  if (lead == 0xf0) return second >= 0x90 && second < 0xc0;
  if (lead == 0xf4) return second >= 0x80 && second < 0x90;
  return second >= 0x80 && second < 0xc0;
}

// Length of the valid UTF-8 sequence that starts at `at`, or 0.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > text.size() || !is_second(lead, byte(1))) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

bool is_plain(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

// One character that is not plain, or one byte that is no character; returns how much it took.
std::size_t append_special(std::string& out, std::string_view text, std::size_t at) {
  auto c = static_cast<unsigned char>(text[at]);
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
  return length == 0 ? 1 : length;
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    std::size_t plain = at;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out += text.substr(at, plain - at);
    at = plain < text.size() ? plain + append_special(out, text, plain) : plain;
  }
  out += '"';
}

void append_field(std::string& out, const LogField& field) {
  out += ',';
  append_json(out, field.name);
  out += ':';
  if (auto text = std::get_if<std::string>(&field.value)) {
    append_json(out, *text);
  } else if (auto number = std::get_if<std::int64_t>(&field.value)) {
    out += fmt::format_int(*number).c_str();
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

Log::Log(LogLevel level) : Log(std::make_shared<StderrSink>(), level) {}
Log::Log(std::shared_ptr<LogSink> sink, LogLevel level) : x_sink(std::move(sink)), x_level(level) {}

Log Log::with(std::string_view name, std::string_view value) const {
  Log copy = *this;
  append_field(copy.x_carried, {name, std::string(value)});
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
  std::string line;
  line.reserve(256);
  line += R"({"time":")";
  line += rfc3339_ms(SystemClock().now());
  line += R"(","level":")";
  line += level_name(level);
  line += R"(","message":)";
  append_json(line, message);
  line += x_carried;
  for (const auto& field : fields) append_field(line, field);
  line += "}\n";
  x_sink->write(line);
}

}  // namespace wharfage
