#include "build/git.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "base/time.h"

namespace wharfage::build {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t dated_refs_max = 200;
constexpr std::int64_t size_check_ms = 2'000;
constexpr std::int64_t git_grace_ms = 500;  // git as process 1 of its jail does not hear SIGTERM

Error failed(std::string message) {
  return fail(Reason::conflict, std::move(message), std::string(stage::clone));
}

std::int64_t folder_bytes(const std::string& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    struct stat one{};
    if (lstat(entries->path().c_str(), &one) == 0) bytes += one.st_blocks * 512;
  }
  return bytes;
}

std::string protocol_of(std::string_view url) {
  return std::string(url.substr(0, url.find(':')));
}

std::string git_config(const Remote& remote, std::string_view helper) {
  return fmt::format(
      "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tsymlinks = true\n"
      "[safe]\n\tdirectory = {}\n\tdirectory = {}/.git\n"
      "[protocol]\n\tallow = never\n[protocol \"{}\"]\n\tallow = always\n"
      "[credential]\n\thelper = {}\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"
      "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[submodule]\n\trecurse = false\n"
      "[http]\n\tlowSpeedLimit = 1\n\tlowSpeedTime = 60\n",
      inside_source, inside_source, protocol_of(remote.url), helper);
}

// "https://user:token@host" as git-credential-store reads it.
std::string credential_line(const Remote& remote) {
  std::string_view rest = std::string_view(remote.url).substr(remote.url.find("://") + 3);
  return fmt::format("{}://{}:{}@{}\n", protocol_of(remote.url),
                     percent_encode(remote.username.empty() ? "git" : remote.username),
                     percent_encode(remote.secret), rest.substr(0, rest.find('/')));
}

constexpr const char* secret_files[] = {"git-credentials", "ssh-key"};

class Git {
 public:
  Git(Sandbox& sandbox, const Options& options, const Remote& remote, const Progressing& progressing)
      : x_sandbox(sandbox),
        x_options(options),
        x_remote(remote),
        x_progressing(progressing),
        x_url(remote.url) {}
  ~Git() {
    for (const char* file : secret_files) x_sandbox.remove_file(file);
    x_sandbox.show_source("");
  }

  Status prepare() {
    if (protocol_of(x_url) == "file") {
      TRY(std::string folder, allowed_folder(x_url, x_options.file_roots));
      x_sandbox.show_source(folder);
      x_url = fmt::format("file://{}", inside_source);
    }
    std::string helper;
    if (x_remote.credential == "token") {
      TRY_STATUS(x_sandbox.put_file("git-credentials", credential_line(x_remote), Sandbox::Mode::secret));
      helper = fmt::format("store --file={}", Sandbox::inside("etc/git-credentials"));
    }
    if (x_remote.credential == "ssh") {
      std::string key = x_remote.secret.back() == '\n' ? x_remote.secret : x_remote.secret + "\n";
      TRY_STATUS(x_sandbox.put_file("ssh-key", key, Sandbox::Mode::secret));
      TRY_STATUS(x_sandbox.put_file("known-hosts", x_remote.known_hosts + "\n"));
    }
    return x_sandbox.put_file("gitconfig", git_config(x_remote, helper));
  }

  Result<std::vector<std::string>> list(bool tags) {
    TRY(auto lines,
        output({"ls-remote", "--refs", tags ? "--tags" : "--heads", "--sort=-version:refname", "--", x_url},
               "out"));
    std::vector<std::string> names;
    for (const std::string& line : lines) {
      auto tab = line.find('\t');
      std::string_view prefix = tags ? "refs/tags/" : "refs/heads/";
      std::string_view name = std::string_view(line).substr(tab == line.npos ? line.size() : tab + 1);
      if (name.substr(0, prefix.size()) == prefix) names.emplace_back(name.substr(prefix.size()));
      if (names.size() >= limits::build_refs_max) break;
    }
    return names;
  }

  // Of these refs the one whose commit (or annotated tag) is the youngest.
  Result<std::string> newest(const std::vector<std::string>& references) {
    std::vector<std::string> fetch = {"fetch",           "--quiet", "--depth=1", "--no-tags",
                                      "--filter=tree:0", "--",      x_url};
    for (const std::string& one : references) fetch.push_back(fmt::format("+{}:{}", one, one));
    TRY_STATUS(run({"init", "--quiet", "--bare", "."}, "out"));
    TRY_STATUS(run(fetch, "out"));
    TRY(auto lines, output({"for-each-ref", "--sort=-version:refname", "--sort=-creatordate", "--count=1",
                            "--format=%(refname)"},
                           "out"));
    if (lines.empty()) return failed("the source has no matching branch or tag");
    return lines.front();
  }

  Result<std::string> check_out(const std::string& reference) {
    TRY_STATUS(run({"init", "--quiet", "."}, "source"));
    TRY_STATUS(run({"fetch", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", x_url, reference},
                   "source"));
    TRY_STATUS(run({"checkout", "--quiet", "--detach", "FETCH_HEAD"}, "source"));
    TRY(auto lines, output({"rev-parse", "--verify", "HEAD"}, "source"));
    if (lines.empty()) return failed("git does not tell the commit");
    TRY_STATUS(check_size());
    return lines.front();
  }

 private:
  Status check_size() {
    if (folder_bytes(x_sandbox.path("source")) + folder_bytes(x_sandbox.path("out")) <=
        x_options.source_bytes) {
      return {};
    }
    return failed(fmt::format("the source is larger than {} MiB", x_options.source_bytes >> 20));
  }

  Status stop() {
    if (std::int64_t now = monotonic_ms(); now - x_checked_at > size_check_ms) {
      x_checked_at = now;
      TRY_STATUS(check_size());
    }
    return x_progressing.stop();
  }

  std::vector<std::string> environment() const {
    std::vector<std::string> result = {"GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1",
                                       "GIT_CONFIG_GLOBAL=" + Sandbox::inside("etc/gitconfig"),
                                       "GIT_ALLOW_PROTOCOL=" + protocol_of(x_url), "GIT_LFS_SKIP_SMUDGE=1"};
    if (x_remote.credential == "ssh") {
      result.push_back(fmt::format(
          "GIT_SSH_COMMAND=ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o BatchMode=yes "
          "-o StrictHostKeyChecking=yes -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null",
          Sandbox::inside("etc/ssh-key"), Sandbox::inside("etc/known-hosts")));
    }
    return result;
  }

  Status run(std::vector<std::string> arguments, const std::string& folder) {
    auto lines = output(std::move(arguments), folder);
    if (!lines.ok()) return lines.error();
    return {};
  }

  // Standard output; standard error goes into the log, and its last line explains a failure.
  Result<std::vector<std::string>> output(std::vector<std::string> arguments, const std::string& folder) {
    arguments.insert(arguments.begin(), "git");
    std::vector<std::string> lines;
    std::string complaint;
    Watch watch{
        .stop = [&] { return stop(); }, .deadline_ms = x_progressing.deadline_ms, .grace_ms = git_grace_ms};
    watch.line = [&](Stream stream, std::string_view line) {
      if (stream == Stream::output) {
        if (lines.size() < limits::build_refs_max) lines.emplace_back(line);
        return;
      }
      if (line.substr(0, 6) == "fatal:" || complaint.empty()) complaint = line;
      x_progressing.log(line);
    };
    TRY(Exit exit, x_sandbox.run(std::move(arguments), folder, environment(), watch));
    if (exit.ok()) return lines;
    if (complaint.find("couldn't find remote ref") != complaint.npos) {
      return failed("the source has no such branch or tag");
    }
    return failed(
        fmt::format("git failed: {}", complaint.empty() ? std::to_string(exit.code) : cut(complaint, 500)));
  }

  Sandbox& x_sandbox;
  const Options& x_options;
  const Remote& x_remote;
  const Progressing& x_progressing;
  std::string x_url;
  std::int64_t x_checked_at = 0;
};

Result<std::string> choose(Git& git, const RefPattern& pattern, bool tags) {
  TRY(auto names, git.list(tags));
  std::vector<std::string> matching;
  for (const std::string& name : names) {
    if (matching.size() < dated_refs_max && pattern.match(name)) {
      matching.push_back((tags ? "refs/tags/" : "refs/heads/") + name);
    }
  }
  if (matching.empty()) return failed("no branch or tag of the source matches the push name");
  if (matching.size() == 1) return matching.front();
  return git.newest(matching);
}

}  // namespace

Result<std::string> allowed_folder(std::string_view url, const std::vector<std::string>& roots) {
  std::error_code missing;
  fs::path wanted = fs::canonical(percent_decode(url.substr(std::string_view("file://").size())), missing);
  for (const std::string& root : roots) {
    std::error_code no_root;
    fs::path allowed = fs::canonical(root, no_root);
    if (missing || no_root || !fs::is_directory(wanted)) continue;
    auto end = std::mismatch(allowed.begin(), allowed.end(), wanted.begin(), wanted.end());
    if (end.first == allowed.end()) return wanted.string();
  }
  return failed("this file:// source does not exist or does not lie in an allowed folder");
}

Result<Checkout> fetch_source(Sandbox& sandbox, const Options& options, const Remote& remote,
                              const Recipe& recipe, const Progressing& progressing) {
  progressing.log("fetch stage begin");
  Git git(sandbox, options, remote, progressing);
  TRY_STATUS(git.prepare());
  TRY(RefPattern pattern, RefPattern::parse(recipe.push_name));
  bool tags = recipe.push_type == "GIT_TAG";
  std::string prefix = tags ? "refs/tags/" : "refs/heads/";
  Checkout checkout{.reference = prefix + recipe.push_name};
  if (!pattern.exact()) {
    TRY(checkout.reference, choose(git, pattern, tags));
  }
  checkout.name = checkout.reference.substr(prefix.size());
  progressing.log(fmt::format("fetching {} of {}", checkout.reference, remote.url));
  TRY(checkout.commit, git.check_out(checkout.reference));
  checkout.groups = pattern.match(checkout.name).value_or(RefPattern::Groups{});
  progressing.log(fmt::format("commit {}", checkout.commit));
  return checkout;
}

}  // namespace wharfage::build
