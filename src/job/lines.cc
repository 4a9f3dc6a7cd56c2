#include "job/lines.h"

#include <fmt/format.h>

#include <chrono>

#include "base/text.h"

namespace wharfage::job {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";
constexpr std::size_t line_overhead = sizeof(LogLine) + 32;

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// Length of the well-formed sequence (Unicode 15, table 3-7) that starts at `at`, or 0.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4 || !continues(text, at + 1)) return 0;
  if (lead < 0xe0) return 2;
  auto second = static_cast<unsigned char>(text[at + 1]);
  bool bad_second = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                    (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  if (bad_second || !continues(text, at + 2)) return 0;
  if (lead < 0xf0) return 3;
  return continues(text, at + 3) ? 4 : 0;
}

// What a terminal would show of "10%\r20%\r30%\r".
std::string_view last_overwrite(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  auto back = line.rfind('\r');
  return back == line.npos ? line : line.substr(back + 1);
}

std::string clean_stage(std::string_view stage) {
  std::string text = printable(cut(stage, limits::job_log_stage_max));
  for (char& c : text) {
    if (c == '\t' || c == '\n') c = ' ';
  }
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = sequence_length(text, at);
    auto c = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      out += replacement;
    } else if (length > 1 || (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == 0x1b) {
      out += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out;
}

std::vector<Chunk> pack(const std::vector<LogLine>& lines) {
  std::vector<Chunk> chunks;
  for (const auto& line : lines) {
    std::size_t size = line.stage.size() + line.text.size() + 2;
    if (chunks.empty() || chunks.back().text.size() + size > limits::job_log_chunk_max) {
      chunks.push_back({.first = line.number, .last = line.number, .text = {}});
    }
    chunks.back().last = line.number;
    chunks.back().text += line.stage;
    chunks.back().text += '\t';
    chunks.back().text += line.text;
    chunks.back().text += '\n';
  }
  return chunks;
}

void unpack(const Chunk& chunk, std::int64_t offset, std::size_t limit, std::vector<LogLine>& lines) {
  std::string_view rest = chunk.text;
  for (std::int64_t number = chunk.first; number <= chunk.last && lines.size() < limit; ++number) {
    auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    if (number <= offset) continue;
    auto tab = line.find('\t');
    std::string_view stage = tab == line.npos ? std::string_view() : line.substr(0, tab);
    std::string_view text = tab == line.npos ? line : line.substr(tab + 1);
    lines.push_back({number, std::string(stage), std::string(text)});
  }
}

bool LogBuffer::add(std::string_view stage, std::string_view text, std::int64_t wait_ms) {
  std::unique_lock lock(x_mutex);
  std::chrono::milliseconds patience(x_lost > 0 ? 0 : wait_ms);
  bool room =
      x_room.wait_for(lock, patience, [&] { return x_closed || x_bytes < limits::job_log_buffer_max; });
  if (x_closed) return true;
  if (!room) {
    ++x_lost;
    return false;
  }
  if (x_lost > 0) number("", fmt::format("({} lines were lost here: they came too fast)", x_lost));
  x_lost = 0;
  append(clean_stage(stage), text);
  return true;
}

void LogBuffer::append(std::string_view stage, std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  for (std::string_view line : split(text, '\n')) {
    std::string_view shown = last_overwrite(line);
    bool too_long = shown.size() > limits::job_log_line_max;
    number(stage, printable(cut(shown, limits::job_log_line_max)) + (too_long ? " (line cut)" : ""));
  }
}

void LogBuffer::number(std::string_view stage, std::string text) {
  constexpr auto lines_max = static_cast<std::int64_t>(limits::job_log_lines_max);
  if (x_last > lines_max) return;
  if (x_last == lines_max) {
    stage = "";
    text = fmt::format("(log cut after {} lines)", lines_max);
  }
  x_bytes += text.size() + line_overhead;
  x_lines.push_back({++x_last, std::string(stage), std::move(text)});
}

bool LogBuffer::empty() const {
  std::lock_guard lock(x_mutex);
  return x_lines.empty();
}

bool LogBuffer::filling() const {
  std::lock_guard lock(x_mutex);
  return x_bytes > limits::job_log_buffer_max / 2;
}

std::vector<LogLine> LogBuffer::take() {
  std::lock_guard lock(x_mutex);
  std::vector<LogLine> taken(std::make_move_iterator(x_lines.begin()),
                             std::make_move_iterator(x_lines.end()));
  x_lines.clear();
  x_bytes = 0;
  x_room.notify_all();
  return taken;
}

void LogBuffer::put_back(std::vector<LogLine> lines) {
  std::lock_guard lock(x_mutex);
  if (x_closed) return;
  for (const auto& line : lines) x_bytes += line.text.size() + line_overhead;
  x_lines.insert(x_lines.begin(), std::make_move_iterator(lines.begin()),
                 std::make_move_iterator(lines.end()));
}

void LogBuffer::close() {
  std::lock_guard lock(x_mutex);
  x_closed = true;
  x_lines.clear();
  x_bytes = 0;
  x_room.notify_all();
}

}  // namespace wharfage::job
