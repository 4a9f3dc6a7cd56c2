// The place one build happens in: a folder, a network, a control group and the build user, put together and
// taken away again. Inside, the folder is always /run/wharfage-build/work and the layer store
// /run/wharfage-build/store; the data folder and other builds cannot be seen. Files this server writes lie in
// etc/, which the build can read and not change; what a build wrote is read without following links.
// close() or the destructor ends every process first. Needs root.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "build/account.h"
#include "build/control_group.h"
#include "build/network.h"
#include "build/options.h"
#include "build/process.h"

namespace wharfage::build {

inline constexpr std::string_view inside_work = "/run/wharfage-build/work";
inline constexpr std::string_view inside_store = "/run/wharfage-build/store";
inline constexpr std::string_view inside_source = "/run/wharfage-build/source";

class Sandbox {
 public:
  // Error: unsupported with the reason why this machine cannot build.
  static Result<std::unique_ptr<Sandbox>> open(const Options& options, const std::string& id,
                                               const std::string& store);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // `folder` is relative to the work folder. `extra` environment comes on top of what every program gets.
  Result<Exit> run(std::vector<std::string> arguments, const std::string& folder,
                   std::vector<std::string> extra, const Watch& watch) const;

  std::string path(std::string_view name) const;     // on the host
  static std::string inside(std::string_view name);  // the same file as the build sees it
  enum class Mode { shared, secret };                // secret: only the build user may read it
  Status put_file(const std::string& name, std::string_view bytes, Mode mode = Mode::shared);  // etc/<name>
  void remove_file(const std::string& name);
  // A file that the build wrote, at most `bytes_max` of it. Error: not_found.
  Result<std::string> read_file(const std::string& name, std::size_t bytes_max) const;
  // Makes a folder of the host visible as inside_source, read-only; "": no longer.
  void show_source(const std::string& folder) { x_source = folder; }

  std::string id() const { return x_folder.substr(x_folder.rfind('/') + 1); }
  const Network& network() const { return *x_network; }
  bool out_of_memory() const { return x_group->out_of_memory(); }
  std::int64_t free_bytes() const;  // of the file system builds are on

 private:
  Sandbox(const Options& options, std::string folder, std::string store)
      : x_options(options), x_folder(std::move(folder)), x_store(std::move(store)) {}
  Status prepare();
  Jail jail() const;

  const Options& x_options;
  std::string x_folder, x_store, x_source;
  Account x_account;
  std::unique_ptr<Network> x_network;
  std::unique_ptr<ControlGroup> x_group;
};

// What a crashed server has left of its builds: processes, namespaces, groups, folders.
void remove_leftovers(const Options& options);

}  // namespace wharfage::build
