// Passwords: Argon2id (RFC 9106) in the PHC string form "$argon2id$v=19$m=19456,t=2,p=1$salt$hash", with the
// cost OWASP recommends where memory is dear: 19 MiB, two passes, one lane.
#include "crypto/keys.h"

#include <argon2.h>
#include <sys/mman.h>

#include <atomic>
#include <optional>
#include <semaphore>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"

namespace wharfage::crypto {
namespace {

constexpr std::uint32_t memory_kib = 19 * 1024;
constexpr std::uint32_t passes = 2;
constexpr std::uint32_t lanes = 1;
constexpr std::size_t salt_size = 16;
constexpr std::size_t hash_size = 32;

struct Phc {
  std::uint32_t memory_kib, passes, lanes;
  std::string salt, hash;
};

// Argon2's memory is mapped and unmapped, not taken from malloc: glibc would keep it for the next time, and
// every worker that ever checked a password would hold 19 MiB for good.
int map_memory(std::uint8_t** memory, std::size_t size) {
  if (FAIL_POINT("crypto.password_memory")) return ARGON2_MEMORY_ALLOCATION_ERROR;
  void* at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  *memory = at == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(at);
  return at == MAP_FAILED ? ARGON2_MEMORY_ALLOCATION_ERROR : ARGON2_OK;
}

void unmap_memory(std::uint8_t* memory, std::size_t size) {
  munmap(memory, size);
}

constexpr int waiting_max = 8;

// At most so many at once in the whole process, or a burst of logins would take 19 MiB times the number of
// workers; a few others wait their turn, some 20 ms each. The rest is refused: whoever waits keeps a worker
// from everybody else's requests.
class Turn {
 public:
  Turn() : x_mine(++asking() <= limits::password_hashes_at_once_max + waiting_max) {
    if (x_mine) turns().acquire();
  }
  ~Turn() {
    if (x_mine) turns().release();
    --asking();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool mine() const { return x_mine; }

 private:
  static std::counting_semaphore<>& turns() {
    static std::counting_semaphore<> semaphore(limits::password_hashes_at_once_max);
    return semaphore;
  }
  static std::atomic<int>& asking() {
    static std::atomic<int> count = 0;
    return count;
  }
  const bool x_mine;
};

std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // the C interface forgot const
}

Result<std::string> argon2id(std::string_view password, const Phc& phc, std::size_t size) {
  std::string hash(size, '\0');
  argon2_context context{};
  context.out = bytes_of(hash);
  context.outlen = static_cast<std::uint32_t>(size);
  context.pwd = bytes_of(password);
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = bytes_of(phc.salt);
  context.saltlen = static_cast<std::uint32_t>(phc.salt.size());
  context.t_cost = phc.passes;
  context.m_cost = phc.memory_kib;
  context.lanes = phc.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.allocate_cbk = map_memory;
  context.free_cbk = unmap_memory;
  context.flags = ARGON2_DEFAULT_FLAGS;
  Turn turn;
  if (!turn.mine()) return fail(Reason::throttled, "too many logins at once");
  int outcome = argon2id_ctx(&context);
  if (outcome != ARGON2_OK) return fail(Reason::throttled, "there is no memory left for passwords");
  return hash;
}

std::string unpadded_base64(std::string_view bytes) {
  std::string text = base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string text_of(const Phc& phc) {
  return fmt::format("$argon2id$v=19$m={},t={},p={}${}${}", phc.memory_kib, phc.passes, phc.lanes,
                     unpadded_base64(phc.salt), unpadded_base64(phc.hash));
}

// "m=19456" with name 'm' -> 19456, when it lies in 1..max.
std::optional<std::uint32_t> cost(std::string_view text, char name, std::int64_t max) {
  if (text.size() < 3 || text[0] != name || text[1] != '=') return std::nullopt;
  auto value = parse_integer(text.substr(2));
  if (!value || *value < 1 || *value > max) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<Phc> parse_phc(std::string_view text) {
  auto parts = split(text, '$');
  if (parts.size() != 6 || !parts[0].empty() || parts[1] != "argon2id" || parts[2] != "v=19")
    return std::nullopt;
  auto costs = split(parts[3], ',');
  if (costs.size() != 3) return std::nullopt;
  auto memory = cost(costs[0], 'm', limits::password_memory_kib_max);
  auto times = cost(costs[1], 't', limits::password_passes_max);
  auto width = cost(costs[2], 'p', limits::password_lanes_max);
  auto salt = unbase64(parts[4]), hash = unbase64(parts[5]);
  if (!memory || !times || !width || !salt.ok() || !hash.ok()) return std::nullopt;
  if (salt->size() < 8 || salt->size() > 64 || hash->size() < 16 || hash->size() > 64) return std::nullopt;
  return Phc{*memory, *times, *width, std::move(*salt), std::move(*hash)};
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  Phc phc{memory_kib, passes, lanes, random_bytes(salt_size), {}};
  TRY(phc.hash, argon2id(password, phc, hash_size));
  return text_of(phc);
}

std::string hash_of_no_password() {
  return text_of({memory_kib, passes, lanes, random_bytes(salt_size), random_bytes(hash_size)});
}

Result<bool> verify_password(std::string_view password, std::string_view phc) {
  auto parsed = parse_phc(phc);
  if (!parsed) return false;
  TRY(std::string hash, argon2id(password, *parsed, parsed->hash.size()));
  return same_secret(hash, parsed->hash);
}

}  // namespace wharfage::crypto
