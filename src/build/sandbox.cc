#include "build/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "base/check.h"
#include "build/launch.h"

namespace wharfage::build {
namespace {

namespace fs = std::filesystem;
constexpr const char* aliases_folder = "/etc/containers/registries.conf.d";

bool folder_for(const std::string& path, mode_t mode, uid_t uid, gid_t gid) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return false;
  return chown(path.c_str(), uid, gid) == 0 && chmod(path.c_str(), mode) == 0;
}

std::string runs_folder(const Options& options) {
  return options.work_folder + "/run";
}

Error cannot(const std::string& what) {
  return fail(Reason::unsupported, "the build cannot be prepared: " + what);
}

}  // namespace

Result<std::unique_ptr<Sandbox>> Sandbox::open(const Options& options, const std::string& id,
                                               const std::string& store) {
  if (std::string reason = obstacle(); !reason.empty()) return fail(Reason::unsupported, reason);
  CHECK(id.find('/') == id.npos && !id.empty(), "the id becomes a file name");
  std::unique_ptr<Sandbox> sandbox(new Sandbox(options, runs_folder(options) + "/" + id, store));
  TRY_STATUS(sandbox->prepare());
  return sandbox;
}

Status Sandbox::prepare() {
  TRY(x_account, ensure_account(x_options.user));
  std::error_code failed;
  fs::create_directories(runs_folder(x_options), failed);
  fs::remove_all(x_folder, failed);
  for (std::string_view place : {std::string_view(run_folder), inside_work, inside_store, inside_source}) {
    if (!folder_for(std::string(place), 0711, 0, 0)) return cannot(std::string(place));
  }
  for (const char* name : {"", "/etc", "/etc/empty"}) {
    if (!folder_for(x_folder + name, 0755, 0, 0)) return cannot("its folder");
  }
  for (const char* name : {"home", "tmp", "run", "runc", "source", "out", "no-registries"}) {
    if (!folder_for(path(name), 0700, x_account.uid, x_account.gid)) return cannot("its folders");
  }
  if (!folder_for(x_store, 0700, x_account.uid, x_account.gid)) return cannot("the layer store");
  TRY(x_network, Network::open(x_options));
  GroupLimits limits{x_options.memory_bytes, x_options.processes, x_options.cpu_percent};
  TRY(x_group, ControlGroup::open(x_options.control_group, x_network->claim().group(), limits));
  return put_file("resolv.conf", x_network->resolv_conf());
}

Sandbox::~Sandbox() {
  x_group.reset();
  x_network.reset();
  std::error_code ignored;
  fs::remove_all(x_folder, ignored);
}

std::string Sandbox::path(std::string_view name) const {
  return fmt::format("{}/{}", x_folder, name);
}

std::string Sandbox::inside(std::string_view name) {
  return fmt::format("{}/{}", inside_work, name);
}

Jail Sandbox::jail() const {
  Jail jail{.uid = x_account.uid,
            .gid = x_account.gid,
            .network = x_network->path(),
            .control_files = x_group->control_files(),
            .mounts = {{x_folder, std::string(inside_work)}, {x_store, std::string(inside_store)}}};
  if (!x_source.empty()) jail.mounts.push_back({x_source, std::string(inside_source), true});
  if (!x_options.hidden_folder.empty()) jail.mounts.push_back({"", x_options.hidden_folder});
  if (std::error_code missing; fs::exists("/etc/resolv.conf", missing)) {
    jail.mounts.push_back({inside("etc/resolv.conf"), "/etc/resolv.conf"});
  }
  // The host's drop-ins hold short-name aliases that would lead a FROM past this registry.
  constexpr const char* drop_ins = "/etc/containers/registries.conf.d";
  if (std::error_code missing; fs::exists(drop_ins, missing)) {
    jail.mounts.push_back({inside("no-registries"), drop_ins});
  }
  // The distribution's aliases would send short names elsewhere before this registry is asked.
  if (std::error_code missing; fs::is_directory(aliases_folder, missing)) {
    jail.mounts.push_back({inside("etc/empty"), aliases_folder, true});
  }
  // Last: what the paths above name may lie in here.
  for (const char* shared : {"/tmp", "/var/tmp"}) jail.mounts.push_back({inside("tmp"), shared});
  return jail;
}

Result<Exit> Sandbox::run(std::vector<std::string> arguments, const std::string& folder,
                          std::vector<std::string> extra, const Watch& watch) const {
  Jail walls = jail();
  Command command{.arguments = std::move(arguments),
                  .environment = {fmt::format("PATH={}", search_path), "LC_ALL=C.UTF-8", "USER=build",
                                  "HOME=" + inside("home"), "TMPDIR=" + inside("tmp"),
                                  "XDG_RUNTIME_DIR=" + inside("run")},
                  .folder = inside(folder),
                  .jail = &walls};
  for (std::string& one : extra) command.environment.push_back(std::move(one));
  return run_process(command, watch);
}

Status Sandbox::put_file(const std::string& name, std::string_view bytes, Mode mode) {
  std::string file = path("etc/" + name);
  unlink(file.c_str());
  Handle out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!out) return cannot(name);
  // Before the bytes are in it, so that nobody reads a secret meanwhile.
  bool secret = mode == Mode::secret;
  if (fchown(out.get(), secret ? x_account.uid : 0, secret ? x_account.gid : 0) != 0) return cannot(name);
  if (fchmod(out.get(), secret ? 0600 : 0644) != 0) return cannot(name);
  if (write(out.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return cannot(name);
  return {};
}

void Sandbox::remove_file(const std::string& name) {
  unlink(path("etc/" + name).c_str());
}

Result<std::string> Sandbox::read_file(const std::string& name, std::size_t bytes_max) const {
  Handle folder(::open(path("out").c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  Handle in(openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat kind{};
  if (!in || fstat(in.get(), &kind) != 0 || !S_ISREG(kind.st_mode)) {
    return fail(Reason::not_found, "the build did not write " + name);
  }
  std::string bytes(bytes_max, '\0');
  ssize_t got = read(in.get(), bytes.data(), bytes.size());
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::int64_t Sandbox::free_bytes() const {
  struct statvfs room{};
  if (statvfs(x_folder.c_str(), &room) != 0) return INT64_MAX;
  return static_cast<std::int64_t>(room.f_bavail) * static_cast<std::int64_t>(room.f_frsize);
}

void remove_leftovers(const Options& options) {
  if (geteuid() != 0) return;
  for (const Claim& claim : claims_of(options.work_folder)) {
    remove_control_group(options.control_group, claim.group());
    remove_network(claim);
  }
  std::error_code ignored;
  fs::remove_all(runs_folder(options), ignored);
}

}  // namespace wharfage::build
