// Places where a test may ask for a failure that a healthy machine never shows (a full disk in the middle of
// a rename, a commit that does not reach the disk). Inert until a test arms one in this process: no setting,
// file or request can. An unarmed point costs one relaxed load. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace wharfage::failpoint {

// While alive, the point `name` fails from its `nth` visit on, `times` times.
class Armed {
 public:
  explicit Armed(std::string name, int nth = 1, int times = 1);
  ~Armed();
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;

 private:
  std::string x_name;
};

bool hit(std::string_view name);

}  // namespace wharfage::failpoint

// True when the operation should fail here: if (FAIL_POINT("blob.publish")) return fail(…);
#define FAIL_POINT(name) ::wharfage::failpoint::hit(name)
