#include "base/random.h"

#include <sys/random.h>

#include "base/check.h"
#include "base/text.h"

namespace wharfage {
namespace {

// Uniform characters of `alphabet` (at most 256): bytes beyond the last whole multiple are drawn again.
std::string random_text(std::size_t count, std::string_view alphabet) {
  const unsigned limit = 256 - 256 % static_cast<unsigned>(alphabet.size());
  std::string text;
  while (text.size() < count) {
    for (unsigned char byte : random_bytes(count)) {
      if (byte < limit && text.size() < count) text += alphabet[byte % alphabet.size()];
    }
  }
  return text;
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count;) {
    auto got = getrandom(bytes.data() + done, count - done, 0);
    CHECK(got > 0, "the kernel gives no randomness");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string random_hex(std::size_t bytes) {
  return hex(random_bytes(bytes));
}

std::string random_uuid() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text = hex(bytes);
  for (int at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

std::string random_uuid_upper() {
  return upper(random_uuid());
}

std::string random_id(std::string_view prefix) {
  return std::string(prefix) + random_text(16, "abcdefghijklmnopqrstuvwxyz0123456789");
}

std::string random_password() {
  return random_text(24, "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789");
}

}  // namespace wharfage
