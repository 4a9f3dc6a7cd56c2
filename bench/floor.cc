// floor: what a durable push of one large blob cannot cost less than on this machine: SHA-256 over its bytes
// and writing them to a file that is then synced. No network, nothing else. Prints CPU and wall seconds as
// JSON.
//   floor FOLDER BYTES
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "load/content.h"

namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

constexpr std::size_t step = 256 * 1024;

bool hash_and_write(int file, long long bytes) {
  std::string buffer(step, '\0');
  for (std::size_t i = 0; i < step; ++i) buffer[i] = static_cast<char>(i * 2654435761u >> 13);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  bool good = true;
  for (long long done = 0; done < bytes && good; done += step) {
    EVP_DigestUpdate(context, buffer.data(), step);
    good = ::write(file, buffer.data(), step) == static_cast<ssize_t>(step);
  }
  unsigned char sum[EVP_MAX_MD_SIZE];
  EVP_DigestFinal_ex(context, sum, nullptr);
  EVP_MD_CTX_free(context);
  return good && ::fdatasync(file) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::string path = std::string(argv[1]) + "/floor";
  int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  auto since = std::chrono::steady_clock::now();
  double before = cpu_seconds();
  bool good = file >= 0 && hash_and_write(file, std::atoll(argv[2]));
  double cpu = cpu_seconds() - before;
  double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
  ::unlink(path.c_str());
  if (!good) return 1;
  std::printf("{\"cpu\":%.6f,\"seconds\":%.6f}\n", cpu, wall);
}
