#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace wharfage {

void check_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "{\"level\":\"fatal\",\"message\":\"%s\",\"check\":\"%s\",\"at\":\"%s:%d\"}\n", why,
               condition, file, line);
  std::abort();
}

}  // namespace wharfage
