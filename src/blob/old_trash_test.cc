#include "blob/old_trash.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/test_folder.h"

namespace wharfage::blob {
namespace {

namespace fs = std::filesystem;

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("what lies in the trash of an earlier layout goes, or back where nothing stands") {
  TestFolder folder;
  CHECK(empty_old_trash(folder.path("")).ok());
  for (const char* place : {"trash/sha256/ab", "trash/sha256/cd", "blobs/sha256/ab"})
    fs::create_directories(folder.path(place));
  folder.write("trash/sha256/ab/one", "old");
  folder.write("blobs/sha256/ab/one", "new");
  folder.write("trash/sha256/ab/two", "two");
  folder.write("trash/sha256/cd/three", "three");
  CHECK(empty_old_trash(folder.path("")).ok());
  CHECK_FALSE(fs::exists(folder.path("trash")));
  CHECK(content(folder.path("blobs/sha256/ab/one")) == "new");
  CHECK(content(folder.path("blobs/sha256/ab/two")) == "two");
  CHECK(content(folder.path("blobs/sha256/cd/three")) == "three");
}

}  // namespace
}  // namespace wharfage::blob
