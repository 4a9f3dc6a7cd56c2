// For tests only: a folder of one's own that goes away with the test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace wharfage {

class TestFolder {
 public:
  TestFolder() : x_path((std::filesystem::temp_directory_path() / "wharfage-test-XXXXXX").string()) {
    if (mkdtemp(x_path.data()) == nullptr) std::abort();
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(x_path, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  // Of something in the folder, or of the folder itself.
  std::string path(const std::string& name = {}) const { return name.empty() ? x_path : x_path + "/" + name; }
  void write(const std::string& name, const std::string& bytes) const { std::ofstream(path(name)) << bytes; }

 private:
  std::string x_path;
};

}  // namespace wharfage
