#include "build/buildah.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/log.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace wharfage::build {
namespace {

namespace fs = std::filesystem;

Error failed(std::string_view where, std::string message) {
  return fail(Reason::conflict, std::move(message), std::string(where));
}

std::vector<std::string> environment() {
  return {"CONTAINERS_REGISTRIES_CONF=" + Sandbox::inside("etc/registries.conf"),
          "CONTAINERS_STORAGE_CONF=" + Sandbox::inside("etc/storage.conf"),
          "REGISTRY_AUTH_FILE=" + Sandbox::inside("etc/auth.json"), "BUILDAH_ISOLATION=rootless"};
}

std::vector<std::string> buildah(std::vector<std::string> arguments) {
  std::vector<std::string> all = {"buildah",
                                  "--storage-driver",
                                  "overlay",
                                  "--root",
                                  std::string(inside_store),
                                  "--runroot",
                                  Sandbox::inside("run/storage")};
  std::move(arguments.begin(), arguments.end(), std::back_inserter(all));
  return all;
}

// "STEP 2/4: RUN make" and "[1/2] STEP 2/4: RUN make".
bool is_step(std::string_view line) {
  if (!line.empty() && line.front() == '[') {
    auto end = line.find("] ");
    if (end == line.npos) return false;
    line.remove_prefix(end + 2);
  }
  return line.substr(0, 5) == "STEP " && line.find(": ") != line.npos;
}

struct Outcome {
  Exit exit;
  std::string complaint;  // the last "Error: …"
};

Result<Outcome> run(Sandbox& sandbox, std::vector<std::string> arguments, const Progressing& progressing,
                    std::string* step) {
  Outcome outcome;
  Watch watch{.stop = progressing.stop, .deadline_ms = progressing.deadline_ms};
  watch.line = [&](Stream stream, std::string_view line) {
    if (step != nullptr && stream == Stream::output && is_step(line)) *step = line;
    if (stream == Stream::errors && line.substr(0, 7) == "Error: ") outcome.complaint = line.substr(7);
    progressing.log(line);
  };
  TRY(outcome.exit, sandbox.run(buildah(std::move(arguments)), "source", environment(), watch));
  return outcome;
}

// A path of the source that is really there and really in it: a link may not lead out.
Result<std::string> inner_file(const Sandbox& sandbox, const std::string& relative) {
  std::error_code missing;
  fs::path root = fs::canonical(sandbox.path("source"), missing);
  fs::path file = fs::canonical(root / relative, missing);
  auto end = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (missing || end.first != root.end()) {
    return failed(stage::build, fmt::format("the source has no {}", cut(relative, 200)));
  }
  std::string below = file.lexically_relative(root).string();
  return Sandbox::inside("source/" + below);
}

Status check_ignore_files(const Sandbox& sandbox, const std::string& context) {
  for (const char* name : {".dockerignore", ".containerignore"}) {
    std::string relative = context.empty() ? name : context + "/" + name;
    std::error_code missing;
    if (!fs::exists(fs::symlink_status(sandbox.path("source/" + relative), missing))) continue;
    TRY_STATUS(inner_file(sandbox, relative));
  }
  return {};
}

// Under a name that no Dockerfile's short name can mean, so that FROM never finds an earlier result here.
std::string local_name(const Sandbox& sandbox) {
  return "built.invalid/image:" + sandbox.id();
}

bool several(const ImageBuild& image) {
  return image.recipe->platforms.size() > 1;
}

Status explain(const Sandbox& sandbox, const Outcome& outcome, const std::string& step) {
  if (outcome.exit.ok()) return {};
  std::string what = step.empty() ? "the build" : cut(step, 200);
  if (sandbox.out_of_memory()) {
    return failed(stage::build, fmt::format("{} failed: the build used more memory than it may", what));
  }
  // buildah's own failures are 125; everything else is what the RUN ended with.
  if (outcome.exit.code != 125 && step.find(": RUN") != step.npos) {
    return failed(stage::build, fmt::format("{} failed with exit code {}", what, outcome.exit.code));
  }
  std::string why = outcome.complaint.empty() ? fmt::format("exit code {}", outcome.exit.code)
                                              : cut(outcome.complaint, 500);
  return failed(stage::build, fmt::format("{} failed: {}", what, why));
}

std::string literal(std::string_view text) {
  return json_string(text);  // the characters of host names mean the same in TOML
}

std::string architecture_of(std::string_view platform) {
  return std::string(platform.substr(platform.find('/') + 1));
}

}  // namespace

std::vector<std::string> own_names(const Options& options) {
  std::vector<std::string> names;
  auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  std::string_view address = options.registry_address;
  std::string_view host = address.substr(0, address.rfind(':')),
                   port = address.substr(address.rfind(':') + 1);
  for (const std::string& name : options.registry_names) add(name);
  bool local = host == "127.0.0.1" || host == "0.0.0.0" || host == "localhost";
  if (host != "0.0.0.0") add(std::string(address));
  if (local) {
    add(fmt::format("127.0.0.1:{}", port));
    add(fmt::format("localhost:{}", port));
  }
  return names;
}

std::string registries_conf(const Options& options, std::string_view location) {
  auto names = own_names(options);
  std::vector<std::string> search = {literal(names.front())};
  for (const std::string& other : options.search_registries) search.push_back(literal(other));
  std::string text = fmt::format("unqualified-search-registries = [{}]\nshort-name-mode = \"disabled\"\n",
                                 join(search, ", "));
  for (const std::string& name : names) {
    text += fmt::format("[[registry]]\nprefix = {}\nlocation = {}\ninsecure = true\n", literal(name),
                        literal(location));
  }
  text += fmt::format("[[registry]]\nlocation = {}\ninsecure = true\n", literal(location));
  return text;
}

std::string login_file(const Options& options, std::string_view location, const Login& login) {
  std::string secret = base64(login.username + ":" + login.password);
  std::vector<std::string> entries;
  auto names = own_names(options);
  names.emplace_back(location);
  for (const std::string& name : names) {
    entries.push_back(fmt::format("{}:{{\"auth\":\"{}\"}}", literal(name), secret));
  }
  return fmt::format("{{\"auths\":{{{}}}}}", join(entries, ","));
}

Status configure_registries(Sandbox& sandbox, const Options& options, const Login& login) {
  std::string location = sandbox.network().registry();
  TRY_STATUS(sandbox.put_file("registries.conf", registries_conf(options, location)));
  TRY_STATUS(sandbox.put_file("storage.conf", "[storage]\ndriver = \"overlay\"\n"));
  TRY_STATUS(sandbox.put_file("policy.json", R"({"default":[{"type":"insecureAcceptAnything"}]})"));
  return sandbox.put_file("auth.json", login_file(options, location, login), Sandbox::Mode::secret);
}

Status build_image(Sandbox& sandbox, const ImageBuild& image, const Progressing& progressing,
                   std::string& step) {
  const Recipe& recipe = *image.recipe;
  for (const std::string& platform : recipe.platforms) {
    std::string reason = platform_obstacle(platform);
    if (!reason.empty()) return failed(stage::build, reason);
  }
  std::string context = recipe.dockerfile_location.substr(1);
  TRY(std::string folder, inner_file(sandbox, context.empty() ? "." : context));
  TRY(std::string file, inner_file(sandbox, (context.empty() ? "" : context + "/") + recipe.dockerfile_name));
  TRY_STATUS(check_ignore_files(sandbox, context));
  std::vector<std::string> arguments = {"bud",
                                        "--isolation",
                                        "rootless",
                                        "--runtime",
                                        "runc",
                                        "--runtime-flag",
                                        "root=" + Sandbox::inside("runc"),
                                        "--network",
                                        "host",
                                        "--layers",
                                        "--force-rm",
                                        "--pull-always",
                                        "--signature-policy",
                                        Sandbox::inside("etc/policy.json"),
                                        "--format",
                                        "oci",
                                        "--file",
                                        file};
  if (!image.use_cache || foreign(recipe)) arguments.emplace_back("--no-cache");
  for (const std::string& one : recipe.arguments) arguments.push_back("--build-arg=" + one);
  for (const std::string& one : image.annotations) arguments.push_back("--annotation=" + one);
  if (!recipe.platforms.empty()) arguments.push_back("--platform=" + join(recipe.platforms, ","));
  arguments.emplace_back(several(image) ? "--manifest" : "--tag");
  arguments.push_back(local_name(sandbox));
  arguments.push_back(folder);
  TRY(Outcome outcome, run(sandbox, std::move(arguments), progressing, &step));
  return explain(sandbox, outcome, step);
}

Result<std::string> push_image(Sandbox& sandbox, const ImageBuild& image, const Progressing& progressing) {
  std::string target =
      fmt::format("docker://{}/{}:{}", sandbox.network().registry(), image.repository, image.tag);
  std::vector<std::string> arguments = {"push"};
  if (several(image)) arguments = {"manifest", "push", "--all"};
  for (const std::string& one : {std::string("--tls-verify=false"), std::string("--signature-policy"),
                                 Sandbox::inside("etc/policy.json"), std::string("--digestfile"),
                                 Sandbox::inside("out/digest"), local_name(sandbox), target}) {
    arguments.push_back(one);
  }
  TRY(Outcome outcome, run(sandbox, std::move(arguments), progressing, nullptr));
  if (!outcome.exit.ok()) {
    return failed(stage::push, fmt::format("the push failed: {}", cut(outcome.complaint, 500)));
  }
  // "manifest push" of 1.28 ends with 0 whatever happens, but then has no digest to write.
  auto digest = sandbox.read_file("digest", 256);
  if (!digest.ok() || !Digest::parse(trim(*digest)).ok()) {
    return failed(stage::push, "the registry did not take the image");
  }
  return std::string(trim(*digest));
}

bool foreign(const Recipe& recipe) {
  return !recipe.platforms.empty() && recipe.platforms != std::vector<std::string>{host_platform()};
}

std::string host_platform() {
  utsname machine{};
  uname(&machine);
  std::string_view name = machine.machine;
  if (name == "x86_64") return "linux/amd64";
  if (name == "aarch64") return "linux/arm64";
  return fmt::format("linux/{}", name);
}

std::string platform_obstacle(std::string_view platform, const std::string& handlers) {
  std::string host = host_platform();
  if (platform == host || (host == "linux/amd64" && platform == "linux/386")) return "";
  std::string architecture = architecture_of(platform);
  std::string emulator = architecture == "amd64"   ? "x86_64"
                         : architecture == "arm64" ? "aarch64"
                         : architecture == "386"   ? "i386"
                                                   : architecture.substr(0, architecture.find('/'));
  std::ifstream in(fmt::format("{}/qemu-{}", handlers, emulator));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.substr(0, 7) == "enabled" && text.find("\nflags: ") != text.npos &&
      text.substr(text.find("\nflags: ")).find('F') != text.npos) {
    return "";
  }
  return fmt::format(
      "this machine is {} and cannot run programs for {}: qemu-{} is not registered with binfmt_misc", host,
      platform, emulator);
}

}  // namespace wharfage::build
