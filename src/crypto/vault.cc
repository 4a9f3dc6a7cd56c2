// Vault: secrets at rest. A sealed value is "v1." + base64url(nonce[12] || ciphertext || tag[16]); the
// purpose is the additional authenticated data. The master key's file holds 64 hex digits and a newline.
#include "crypto/keys.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/check.h"
#include "base/random.h"
#include "base/text.h"

namespace wharfage::crypto {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::string_view version = "v1.";

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  CHECK(cipher != nullptr, "OpenSSL lacks AES-256-GCM");
  return cipher;
}

const unsigned char* in(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data() ? text.data() : "");
}
unsigned char* out(char* text) {
  return reinterpret_cast<unsigned char*>(text);
}

class File {
 public:
  explicit File(int fd) : x_fd(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (x_fd >= 0) close(x_fd);
  }
  int fd() const { return x_fd; }
  bool is_open() const { return x_fd >= 0; }

 private:
  int x_fd;
};

Error key_failure(std::string message) {
  return fail(Reason::storage_failed, std::move(message), "master key");
}

// Nothing when there is no such file. Never waits, even when the name leads to a pipe.
Result<std::optional<std::string>> read_key(const std::string& path) {
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open() && errno == ENOENT) return std::optional<std::string>();
  struct stat status{};
  if (!file.is_open() || fstat(file.fd(), &status) != 0) return key_failure("the master key cannot be read");
  if (!S_ISREG(status.st_mode)) return key_failure("the master key is not a regular file");
  if (status.st_mode & (S_IWGRP | S_IWOTH)) {
    return key_failure("the master key's file can be written by other users; set its mode to 0600");
  }
  std::array<char, 2 * key_size + 2> text{};  // one more than digits and newline: a longer file shows
  ssize_t size = 0;
  do {
    size = read(file.fd(), text.data(), text.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return key_failure("the master key cannot be read");
  std::string_view digits(text.data(), static_cast<std::size_t>(size));
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  auto key =
      digits.size() == 2 * key_size ? unhex(digits) : Result<std::string>(fail(Reason::storage_failed));
  if (!key.ok()) return key_failure("the master key's file does not hold 64 hex digits");
  return std::optional<std::string>(std::move(key).value());
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return fsync(fd) == 0;
}

bool sync_folder(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path();
  File file(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return file.is_open() && fsync(file.fd()) == 0;
}

// Creates the file whole or not at all, and never replaces one: link() fails where another process was first,
// and then that process's key is the one to read.
Status create_key(const std::string& path) {
  const std::string draft = path + "." + random_hex(8) + ".new";
  const std::string text = hex(random_bytes(key_size)) + "\n";
  bool done = false;
  {
    File file(open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    done = file.is_open() && write_all(file.fd(), text);
  }
  done = done && (link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  unlink(draft.c_str());
  if (!done || !sync_folder(path)) return key_failure("the master key cannot be created");
  return {};
}

}  // namespace

Result<Vault> Vault::open(const std::string& file) {
  TRY(auto key, read_key(file));
  if (!key) {
    TRY_STATUS(create_key(file));
    TRY(key, read_key(file));
    if (!key) return key_failure("the master key cannot be created");
  }
  return Vault(std::move(*key));
}

Vault Vault::ephemeral() {
  return Vault(random_bytes(key_size));
}

std::string Vault::seal(std::string_view secret, std::string_view purpose) const {
  std::string sealed = random_bytes(nonce_size);
  sealed.resize(nonce_size + secret.size() + tag_size);
  char* text = sealed.data() + nonce_size;
  char* tag = text + secret.size();
  int size = 0, last = 0;
  CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  bool done =
      context && EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), in(x_key), in(sealed), nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, in(purpose), static_cast<int>(purpose.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), out(text), &size, in(secret), static_cast<int>(secret.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out(tag), &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_size), tag) == 1;
  CHECK(done && static_cast<std::size_t>(size) == secret.size(), "sealing failed");
  return std::string(version) + base64_url(sealed);
}

Result<std::string> Vault::unseal(std::string_view sealed, std::string_view purpose) const {
  const Error wrong = fail(Reason::storage_failed, "a stored secret cannot be opened with this master key");
  if (!sealed.starts_with(version)) return wrong;
  auto decoded = unbase64(sealed.substr(version.size()));
  if (!decoded.ok() || decoded->size() < nonce_size + tag_size) return wrong;
  if (base64_url(*decoded) != sealed.substr(version.size())) return wrong;  // stray bits in the last digit
  const std::size_t secret_size = decoded->size() - nonce_size - tag_size;
  const char* text = decoded->data() + nonce_size;
  char* tag = decoded->data() + nonce_size + secret_size;
  std::string secret(secret_size, '\0');
  int size = 0, last = 0;
  CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  CHECK(context != nullptr, "out of memory");
  std::array<unsigned char, 16> rest;
  bool done =
      EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), in(x_key), in(*decoded), nullptr) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, in(purpose), static_cast<int>(purpose.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), out(secret.data()), &size, in({text, secret_size}),
                        static_cast<int>(secret_size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_size), tag) == 1 &&
      EVP_DecryptFinal_ex(context.get(), rest.data(), &last) == 1;
  if (!done) return wrong;
  return secret;
}

}  // namespace wharfage::crypto
